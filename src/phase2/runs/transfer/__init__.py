"""Files of a run on their way out of a cluster: what a pod offers, and what it writes to its log."""
