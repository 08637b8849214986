"""Runs and their references, lists and comparisons."""
