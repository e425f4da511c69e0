"""The platform's services."""
