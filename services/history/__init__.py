"""Event log to latest values, totals, retention."""
