"""The Python interface: what ``import phase2`` offers."""
