"""Findings of ``phase2 doctor`` about GPUs: on this machine, and what follows from the answers of a driver."""

import subprocess
import sys

import pytest
import torch

from phase2.diagnosis.finding import exit_code
from phase2.diagnosis.gpu import (
    active_features,
    check_gpus,
    driver_version,
    little_memory,
    old_driver,
    unsupported_gpu,
    unusable_mode,
    uses,
)
from phase2.machine.cuda_driver import ask_driver

HERE = torch.cuda.is_available()


@pytest.mark.skipif(HERE, reason="says what a machine without a GPU says")
def test_a_machine_without_a_gpu_says_so_and_passes():
    done = subprocess.run(
        [sys.executable, "-m", "phase2", "doctor"], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "GPU driver none" in lines
    assert "GPU devices none: trains on the CPU" in lines
    assert "GPU precision fp32; bf16 as a trial, slower on most processors" in lines
    assert "GPU features none active: they are for GPUs" in lines
    assert "ready to train" in done.stderr


@pytest.mark.skipif(HERE, reason="there is a driver")
def test_without_a_driver_nothing_is_asked():
    assert ask_driver() is None
    found = {finding.name: finding.value for finding in check_gpus()}
    nccl = torch.distributed.is_available() and torch.distributed.is_nccl_available()
    assert found["NCCL"][0].isdigit() == nccl


@pytest.mark.skipif(not HERE, reason="needs a GPU")
def test_a_gpu_is_described():
    found = {finding.name: finding for finding in check_gpus()}
    assert found["driver"].value.split(",")[0] == driver_version_here()
    assert torch.cuda.get_device_name(0) in found["device 0"].value
    assert found["device 0 mode"].value in ("default", "exclusive process", "prohibited")
    assert "free" in found["device 0 memory"].value
    assert found["precision"].value.startswith("fp32")
    assert "kept on the GPU" in found["graphs"].value
    assert {"padding", "recorded steps", "kernels"} <= set(found)
    assert exit_code(found.values()) == 0


def driver_version_here():
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("driver", "cuda", "works"),
    [
        ((13, 0), "13.2", True),  # of the same major version
        ((13, 1), "12.8", True),
        ((12, 8), "13.0", False),
        ((12, 8), None, True),  # this PyTorch computes on the CPU alone
    ],
)
def test_a_driver_runs_the_cuda_of_its_major_version_and_older_ones(driver, cuda, works):
    problem = old_driver(driver, cuda)
    assert (problem is None) == works
    assert works or (problem.exit_code == 2 and "up to 12.8" in problem.what and cuda in problem.what)


def test_modes_that_let_no_process_compute_are_problems():
    assert unusable_mode(0, "default") is None
    assert unusable_mode(0, "unknown") is None
    assert unusable_mode(0, "exclusive process").exit_code == 0  # a training alone works
    assert unusable_mode(1, "prohibited").exit_code == 2


def test_little_free_memory_may_pass():
    assert little_memory(0, 4 << 30) is None
    assert little_memory(0, 200 << 20).exit_code == 75


def test_features_name_what_is_installed():
    assert active_features().startswith("copies from pinned memory")


def test_what_is_active_is_named(monkeypatch):
    found = {finding.name: finding.value for finding in uses([8 << 30, None, 4 << 30])}
    assert set(found) == {"graphs", "padding", "recorded steps", "kernels"}
    assert found["graphs"].startswith("kept on the GPU")
    assert found["graphs"].endswith("device 0: up to 2.0 GiB; device 2: up to 1.0 GiB")
    assert "to 4 sizes (--padding-buckets)" in found["padding"]
    assert "training.padding_buckets" in found["padding"]
    assert "trial" in found["recorded steps"]
    assert "fused" in found["kernels"] or "not installed" in found["kernels"]
    monkeypatch.setenv("PHASE2_KERNELS", "plain")
    without = {finding.name: finding.value for finding in uses([None])}
    assert without["kernels"] == "PyTorch's operations alone: $PHASE2_KERNELS is plain"
    assert without["graphs"] == "sent from pinned memory"


@pytest.mark.parametrize(
    ("capability", "kernels", "works"),
    [
        ((9, 0), ["sm_80", "sm_90"], True),
        ((8, 6), ["sm_80", "sm_90"], True),  # of the same generation, and newer
        ((8, 0), ["sm_86"], False),
        ((7, 0), ["sm_75", "sm_120"], False),
        ((12, 1), ["sm_90", "compute_120"], True),
        ((6, 1), [], False),
        ((10, 0), ["sm_100a"], True),
    ],
)
def test_support_for_a_gpu_follows_from_the_kernels(capability, kernels, works):
    problem = unsupported_gpu("A GPU", capability, kernels)
    assert (problem is None) == works
    assert works or problem.exit_code == 2


def test_the_version_of_the_driver_is_read(tmp_path):
    file = tmp_path / "version"
    assert driver_version(file) is None
    file.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:32:17 UTC 2025\n")
    assert driver_version(file) == "580.65.06"
