"""The newest value of every datastream."""
