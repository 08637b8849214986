"""Many runs: index, list, filter, compare, retain."""
