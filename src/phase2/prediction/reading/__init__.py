"""From structures, in files or in memory, to graphs."""
