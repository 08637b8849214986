"""State of an unfinished run in a store: its id, configuration, attempts and checkpoints."""
