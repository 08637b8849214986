"""Crystals of the test part that are nearly the same as one of the training part."""
