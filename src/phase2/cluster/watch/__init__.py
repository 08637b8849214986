"""Runs of a cluster as those who watch them see them: their states, and what their logs say of their progress."""
