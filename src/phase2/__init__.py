"""Multi-task models of material properties: one request, one run directory, the same everywhere."""

__version__ = "0.1.0"
