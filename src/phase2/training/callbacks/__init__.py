"""Progress of a training, reported to callbacks: bars, log lines, files, and the user's own."""
