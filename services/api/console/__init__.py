"""The operators' console: its sources (web), what is built from them (built), and the doors it is served by."""
