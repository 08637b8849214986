"""Data sets, structures and properties as they are given to a call."""
