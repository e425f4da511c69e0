"""PURE: the laws that the simulated city obeys, each with its source."""
