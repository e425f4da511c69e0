"""The city, its districts and its catalogue."""
