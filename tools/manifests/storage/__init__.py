"""Policies of a bucket: who may do what with the objects of runs."""
