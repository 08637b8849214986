"""Checks of ``phase2 doctor``: the environment of this process, and what in it prevents a training."""
