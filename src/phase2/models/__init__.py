"""Networks that predict the properties of batches of crystals."""
