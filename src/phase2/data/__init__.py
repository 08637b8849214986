"""Crystals in, batches out."""
