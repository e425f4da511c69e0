"""HTTP: one folder per face."""
