"""Observations of datastreams over time, raw and bucketed, for every face that may show them."""
