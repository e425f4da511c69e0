"""The open-data API, /open/v1."""
