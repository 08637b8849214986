"""Structure formats, one module each."""
