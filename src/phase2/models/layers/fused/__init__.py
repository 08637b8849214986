"""Fused forms of the networks' inner sums: Triton kernels that hold no message of a bond or link in memory."""
