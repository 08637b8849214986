"""The device, and the versions that compute."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterator

import torch

from bench.gpu.record.rows import DeviceRow, Row
from bench.gpu.setting import Setting
from phase2.machine.hardware import available_cores, cpu_model
from phase2.machine.versions import deciding_versions, installed


def machine(setting: Setting) -> Iterator[Row]:
    """Describe the device, after a first computation on it."""
    device = setting.device()
    torch.ones(2, device=device).sum().item()
    on_gpu = device.type == "cuda"
    packages = {name: version for name in ("pydantic", "torch_geometric") if (version := installed(name))}
    yield DeviceRow(
        name=torch.cuda.get_device_name(device) if on_gpu else "cpu",
        memory_bytes=torch.cuda.get_device_properties(device).total_memory if on_gpu else None,
        driver=_driver() if on_gpu else None,
        cuda=torch.version.cuda,
        cpu=cpu_model(),
        cores=available_cores(),
        threads=torch.get_num_threads(),
        versions={"python": platform.python_version(), **deciding_versions(), **packages},
    )


def _driver() -> str | None:
    """Ask NVIDIA's tool for the version of the driver, where it is there."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        asked = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.split("\n", 1)[0].strip() or None
