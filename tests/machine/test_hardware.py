"""The hardware of this machine."""

import os

from phase2.machine.hardware import detect_hardware


def test_hardware_of_this_machine():
    here = detect_hardware(gpu="A GPU")
    assert 0 < here.cores <= (os.cpu_count() or 1)
    assert here.memory_bytes is None or here.memory_bytes > 2**20
    assert here.cpu
    assert here.gpu == "A GPU"
