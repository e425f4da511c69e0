"""Things: the physical assets and what they contain and feed."""
