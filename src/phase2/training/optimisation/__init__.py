"""Optimiser, learning rate schedule and averaged weights."""
