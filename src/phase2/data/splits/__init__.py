"""Which crystals a run learns from, which choose its best epoch, and which it is judged by."""
