"""What became of every item received."""
