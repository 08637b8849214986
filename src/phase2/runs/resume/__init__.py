"""Resuming a run in three steps: find it, reconcile its settings with the request's, restore its state."""
