"""A run of a cluster's store, downloaded through a short-lived Job by a user without access keys."""
