"""What goes with a release: images by digest, bills of materials, provenance, and the bundle for offline clusters."""
