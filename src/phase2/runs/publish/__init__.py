"""Publishing a run: whole or not at all."""
