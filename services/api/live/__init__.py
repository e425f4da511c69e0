"""The live stream (SSE)."""
