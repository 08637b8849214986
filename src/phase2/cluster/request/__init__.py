"""What a run requests of the cluster: image, resources, placement, limits."""
