"""Metrics of a running training for Prometheus."""
