"""Numbered migrations; schema/ shows what they add up to."""
