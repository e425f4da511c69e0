"""Tests of the pure city."""
