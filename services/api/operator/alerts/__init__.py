"""Alerts: what wants an operator, and the operator's word on it."""
