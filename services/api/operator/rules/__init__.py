"""Rules that raise alerts."""
