"""MQTT to TimescaleDB; pipeline.py is the map."""
