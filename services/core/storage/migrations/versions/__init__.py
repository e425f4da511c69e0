"""One module a migration, with its SQL beside it."""
