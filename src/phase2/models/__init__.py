"""From batches of crystals to their properties."""
