"""Recording: training steps that are recorded once for each size of batches and replayed with a single launch."""
