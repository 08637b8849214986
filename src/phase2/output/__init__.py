"""Boundaries of what phase2 prints and writes: text from outside is escaped here once, and nowhere else."""
