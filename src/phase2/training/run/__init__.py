"""One run, from request to sealed directory."""
