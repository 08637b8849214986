"""From Kubernetes objects to the state of a run (pure), and the outcome of a workflow in the store."""
