"""From structures to a table of predicted properties, given a model file only."""
