"""From structures to a table of predicted properties, with nothing but a model file."""
