"""Runs: their directory and what its files hold; reports, catalog, publishing and resuming."""
