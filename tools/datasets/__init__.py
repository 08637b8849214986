"""Builders of the data files that the package holds."""
