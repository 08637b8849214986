"""The page of all runs of a store: what it shows, its files, and its server."""
