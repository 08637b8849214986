"""Runs while they train: what they print and record of their progress, and how it is read."""
