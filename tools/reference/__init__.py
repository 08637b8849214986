"""Pages of docs that are generated from the code: the reference, and the index of the decisions."""
