"""Check and measurement of phase2 on one GPU: ``python -m bench.gpu`` (``make gpu-check``).

It needs torch, e3nn, numpy and pydantic alone, a checkout, and the crystals that ``python -m bench.gpu.pack`` has
packed before on a machine with everything installed.
"""
