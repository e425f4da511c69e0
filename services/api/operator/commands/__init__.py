"""What devices are asked, and what they answered."""
