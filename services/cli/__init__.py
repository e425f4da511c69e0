"""The alatau command; thin."""
