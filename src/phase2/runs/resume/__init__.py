"""What is left of an unfinished run, here or in the store."""
