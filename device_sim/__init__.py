"""The simulated city: an outsider that sees only core.city and core.broker."""
