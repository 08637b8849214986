"""Runs on Kubernetes: from a request to a plan, a submitted object and its state. Needs no torch."""
