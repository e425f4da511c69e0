"""Grafana: dashboards as code, made from a city's catalogue (docs/grafana.md)."""
