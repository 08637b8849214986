"""Baselines beside every run: gradient boosting on composition, lattice and coordination."""
