"""The configuration file of a run: reading one, and writing one that reproduces a run."""
