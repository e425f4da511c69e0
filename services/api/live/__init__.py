"""Live streams: one follower of the log per process and stream, any number of clients."""
