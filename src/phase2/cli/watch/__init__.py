"""``phase2 watch``: runs as they train, on the whole screen or line by line."""
