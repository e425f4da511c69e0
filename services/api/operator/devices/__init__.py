"""Devices: what speaks MQTT, and whether it is alive."""
