"""Record of a check: its rows, the whole, and the table for people."""
