"""Helpers for tests of phase2 and of what is built on it."""
