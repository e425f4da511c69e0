"""The pages people open first: where everything is, the interactive documentation, and what a problem means."""
