"""What a Python call leaves as it was: the thread of its callbacks, and settings of torch."""
