"""From a plan to Kubernetes objects; pure."""
