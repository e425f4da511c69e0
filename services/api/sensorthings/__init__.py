"""OGC SensorThings 1.1, /sta/v1.1: the published city in the standard's words."""
