"""MQTT: topics, wire messages, client, passwords."""
