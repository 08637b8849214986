"""Static shapes: batches filled up to one of a few sizes, so that kernels can be compiled or recorded once per size."""
