"""One device's messages, live, and a conformance report for its maker."""
