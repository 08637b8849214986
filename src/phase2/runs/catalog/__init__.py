"""Many runs: index, list, find, filter, compare, rank, retain."""
