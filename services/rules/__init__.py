"""Observations to alerts; engine.py is the map."""
