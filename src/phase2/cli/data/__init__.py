"""``phase2 data``: commands about data sets."""
