"""One machine, no Docker."""
