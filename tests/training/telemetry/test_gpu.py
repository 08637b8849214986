"""What is read of the GPU, and that a machine without one is no error."""

import pytest
import torch

from phase2.training.telemetry.gpu import _from_driver, gpu_usage

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="This machine has no GPU.")


def test_a_run_on_the_processor_uses_no_gpu():
    assert gpu_usage("cpu") is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="This machine has a GPU.")
def test_a_driver_that_is_not_there_is_no_error():
    assert _from_driver(lambda: torch.cuda.utilization("cuda:0")) is None
    assert _from_driver(lambda: torch.cuda.device_memory_used("cuda:0")) is None


@on_gpu
def test_the_memory_of_a_gpu_follows_its_tensors():
    device = torch.device("cuda:0")
    before = gpu_usage("cuda:0")
    tensor = torch.zeros(64 << 20, dtype=torch.uint8, device=device)
    after = gpu_usage("cuda:0")
    assert after.allocated_bytes - before.allocated_bytes == tensor.numel()
    assert tensor.numel() <= after.reserved_bytes <= after.total_bytes
    assert after.used_bytes is None or tensor.numel() <= after.used_bytes <= after.total_bytes
    assert after.utilization is None or 0 <= after.utilization <= 1
