"""Datastreams: what is measured where."""
