"""What the files of a run hold: its manifest, configuration, attempts, history, results and predictions."""
