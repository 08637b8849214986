"""The Argo manifests as Python: one concept per module, from the one table of levels."""
