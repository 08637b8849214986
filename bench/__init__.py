"""Benchmarks, each of which prints a ratio to a baseline that it runs itself."""
