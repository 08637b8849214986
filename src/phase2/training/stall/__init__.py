"""Detection of a training that no longer takes steps."""
