"""From Kubernetes objects to the state of a run; pure."""
