"""Benchmarks: each prints a ratio against a baseline that it runs itself."""
