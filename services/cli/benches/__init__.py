"""Measurements of the platform on this machine; `alatau bench` prints them."""
