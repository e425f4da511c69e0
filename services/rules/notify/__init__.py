"""One module per receiver kind."""
