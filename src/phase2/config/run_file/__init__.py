"""Configuration files of runs: reader and writer."""
