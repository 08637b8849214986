"""What this process finds around itself, and what of it stands in the way of a training: ``phase2 doctor``."""
