"""The symmetry of all crystals of a data set, found once."""
