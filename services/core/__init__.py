"""The shared language of the platform; imports no service."""
