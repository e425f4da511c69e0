"""What was refused, why, and its raw bytes."""
