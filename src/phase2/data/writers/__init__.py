"""Data sets written to files that other programs read."""
