"""Checks of ``phase2 doctor --namespace``: an installation in a cluster, read only."""
