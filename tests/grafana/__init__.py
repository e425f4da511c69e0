"""Grafana without a Grafana: SQL on the real database, JSON against its own packages, its API against a stand-in."""
