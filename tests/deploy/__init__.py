"""The files that deploy the platform: linted, and their commands run here."""
