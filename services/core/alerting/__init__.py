"""PURE: alerts, matchers, silences, rules."""
