"""From a Crystal to a packed graph."""
