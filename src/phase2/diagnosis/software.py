"""Check of the software: phase2, Python, PyTorch, and its support for the GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from phase2.diagnosis.finding import Finding, Problem, format_size
from phase2.machine.code import detect_code

_DRIVER = Path("/proc/driver/nvidia/version")
_DEVICE = Path("/dev/nvidiactl")


def check_software() -> Iterator[Finding]:
    """Check the versions of the software, and the GPUs."""
    running = detect_code()
    commit = f", commit {running.commit[:12]}" + (", changed" if running.dirty else "") if running.commit else ""
    yield Finding("software", "phase2", f"{running.phase2}{commit}")
    yield Finding("software", "image", running.image_digest or "-")
    yield Finding("software", "Python", running.python)
    yield from _torch()


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except ImportError as error:  # also when one of its libraries is missing
        why = "Training needs it." if isinstance(error, ModuleNotFoundError) else f"Importing it failed: {error}."
        yield Finding(
            "software", "PyTorch", "-", Problem("PyTorch cannot be used.", why, "pip install 'phase2[train]'", 2)
        )
        return
    cuda = torch.version.cuda
    yield Finding("software", "PyTorch", f"{torch.__version__} ({f'CUDA {cuda}' if cuda else 'CPU alone'})")
    yield Finding("GPU", "driver", driver_version(_DRIVER) or "-")
    if not torch.cuda.is_available():
        yield Finding("GPU", "devices", "none: trains on the CPU", _unused(has_cuda=cuda is not None))
        return
    kernels = torch.cuda.get_arch_list()
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        capability = (properties.major, properties.minor)
        version = ".".join(map(str, capability))
        value = f"{properties.name}, {format_size(properties.total_memory)}, compute capability {version}"
        yield Finding("GPU", f"device {index}", value, unsupported_gpu(properties.name, capability, kernels))


def _unused(*, has_cuda: bool) -> Problem | None:
    if not _DEVICE.exists():
        return None
    if not has_cuda:
        return Problem(
            "There is a GPU, and this PyTorch has no CUDA.", "The training would be slow.", "Use the GPU image.", 2
        )
    return Problem(
        "There is a GPU that PyTorch cannot use.",
        "The driver is older than this CUDA, or the container has no access to the GPU.",
        "Update the NVIDIA driver of the machine, and request nvidia.com/gpu.",
        2,
    )


def unsupported_gpu(name: str, capability: tuple[int, int], kernels: Sequence[str]) -> Problem | None:
    """Return a problem if a PyTorch has no kernels for a GPU.

    Args:
        name: Name of the GPU.
        capability: Compute capability of the GPU.
        kernels: Architectures; ``sm_90`` runs on 9.x from 9.0 on, ``compute_90`` is translated for all newer ones.
    """
    major, minor = capability
    for kernel in kernels:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)[a-z]?", kernel)
        if found is None:
            continue
        built = (int(found[2]), int(found[3]))
        if (built[0] == major and built[1] <= minor) if found[1] == "sm" else built <= capability:
            return None
    return Problem(
        f"This PyTorch has no kernels for the {name} (compute capability {major}.{minor}).",
        f"It was built for {', '.join(kernels) or 'none'}.",
        "Install a PyTorch that supports it, or use another GPU.",
        2,
    )


def driver_version(file: Path) -> str | None:
    """Return the version of the NVIDIA driver; None without one."""
    try:
        found = re.search(r"\s(\d+\.\d+(?:\.\d+)?)\s", file.read_text())
    except OSError:
        return None
    return found[1] if found else None
