"""How the platform is installed and run."""
