"""What a user asks for: a run, validated on its own, and whether one is resumed."""
