"""Commands of studies: search settings here or on a cluster, and show what was found."""
