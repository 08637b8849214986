"""Pages of runs in experiment trackers: TensorBoard, MLflow and Weights & Biases."""
