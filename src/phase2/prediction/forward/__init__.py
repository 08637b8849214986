"""Forward passes over many crystals: in which batches, padded to which sizes, and recorded where that is faster."""
