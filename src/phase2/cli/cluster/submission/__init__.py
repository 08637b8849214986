"""Submitting runs and sweeps, to a cluster or to this machine."""
