"""PURE: what an alert is, what a rule is, and how one leads to the other."""
