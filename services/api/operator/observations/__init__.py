"""Observations over time, raw and bucketed."""
