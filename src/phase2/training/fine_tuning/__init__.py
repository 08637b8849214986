"""Training that starts from a trained model: its weights, its normalisation, and what of it is frozen when."""
