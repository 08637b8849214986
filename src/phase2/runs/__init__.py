"""Runs: their directory, results and manifest; reports, catalog, publishing and resuming."""
