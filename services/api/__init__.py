"""The platform over HTTP: the operator API, open data and live streams."""
