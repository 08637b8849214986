"""Several runs from one request: sweeps, ensembles, cross-validation."""
