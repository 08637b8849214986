"""Starting a run from a trained model: finding it, reading what it says, and taking over its settings."""
