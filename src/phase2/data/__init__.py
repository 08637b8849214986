"""From crystals in files to batches of tensors."""
