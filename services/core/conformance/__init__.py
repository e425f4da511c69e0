"""Whether a device speaks the protocol: judged from what was seen of it, for its maker."""
