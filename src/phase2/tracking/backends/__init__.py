"""One module for each tracker, which alone imports its package."""
