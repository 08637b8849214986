"""Checkpoints: asynchronous, atomic, compatible."""
