"""Studies: a search over settings in which every trial is an ordinary run."""
