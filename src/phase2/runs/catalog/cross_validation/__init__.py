"""The runs of a cross-validation together: their errors, and the files that hold them."""
