"""What is asked of the cluster."""
