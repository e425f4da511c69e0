"""PURE: what a city is made of."""
