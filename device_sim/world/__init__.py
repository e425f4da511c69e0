"""PURE: the city's worlds, advanced by simulated time."""
