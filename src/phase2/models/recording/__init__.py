"""Recording: training steps and predictions recorded once per size of batches, and replayed with a single launch."""
