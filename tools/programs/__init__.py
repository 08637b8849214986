"""Programs that the checks run, each built once from its Go module at a pinned version."""
