"""Published protocols on a person's copy of the data: its split, a model for each part, and the published score."""
