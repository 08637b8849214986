"""Check of the GPUs: driver, devices, memory, modes, and what of the features for GPUs is active."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from phase2.diagnosis.finding import Finding, Problem, format_size
from phase2.errors import TransientError
from phase2.machine.cuda_driver import DriverAnswer, ask_driver

_DRIVER = Path("/proc/driver/nvidia/version")
_DEVICE = Path("/dev/nvidiactl")
_LEAST_FREE = 1 << 30  # bytes: CUDA's own context takes half of it

_Version = tuple[int, int]


def check_gpus() -> Iterator[Finding]:
    """Check what this PyTorch finds of GPUs; a machine without one trains on the CPU."""
    import torch

    driver = ask_driver()
    version = driver_version(_DRIVER)
    newest = f"runs CUDA up to {_dotted(driver.cuda)}" if driver else ""
    too_old = old_driver(driver.cuda, torch.version.cuda) if driver else None
    yield Finding("GPU", "driver", ", ".join(filter(None, (version, newest))) or "none", too_old)
    available = torch.cuda.is_available()
    if available:
        for index in range(torch.cuda.device_count()):
            yield from _device(index, driver)
    else:
        unused = None if too_old else _unused(has_cuda=torch.version.cuda is not None)
        yield Finding("GPU", "devices", "none: trains on the CPU", unused)
    yield Finding("GPU", "NCCL", _nccl())
    yield Finding("GPU", "precision", _precision() if available else "fp32; bf16 as a trial, slower on most processors")
    yield Finding("GPU", "features", active_features() if available else "none active: they are for GPUs")
    if available:
        yield from uses(_free_memory())


def _device(index: int, driver: DriverAnswer | None) -> Iterator[Finding]:
    import torch

    properties = torch.cuda.get_device_properties(index)
    capability = (properties.major, properties.minor)
    value = f"{properties.name}, compute capability {_dotted(capability)}"
    problem = unsupported_gpu(properties.name, capability, torch.cuda.get_arch_list())
    yield Finding("GPU", f"device {index}", value, problem)
    mode = driver.compute_modes[index] if driver and index < len(driver.compute_modes) else "unknown"
    yield Finding("GPU", f"device {index} mode", mode, unusable_mode(index, mode))
    if problem is None and mode != "prohibited":
        yield _memory(index)


def _memory(index: int) -> Finding:
    import torch

    name = f"device {index} memory"
    try:
        free, total = torch.cuda.mem_get_info(index)
    except RuntimeError as error:  # another process has it to itself, or the driver fails
        why = f"{str(error).splitlines()[0]}."
        fix = "Wait until other processes have left it, or look for errors of the driver with nvidia-smi."
        return Finding(
            "GPU", name, "-", Problem(f"GPU {index} cannot be used now.", why, fix, TransientError.exit_code)
        )
    return Finding("GPU", name, f"{format_size(free)} of {format_size(total)} free", little_memory(index, free))


def old_driver(driver: _Version, torch_cuda: str | None) -> Problem | None:
    """Return a problem if a driver is older than the CUDA that PyTorch was built with.

    Args:
        driver: Newest CUDA version that the driver runs; all minor versions of a major one are compatible.
        torch_cuda: CUDA version of PyTorch, as ``"13.0"``; None without CUDA.
    """
    if torch_cuda is None or driver[0] >= int(torch_cuda.partition(".")[0]):
        return None
    return Problem(
        f"The NVIDIA driver runs CUDA up to {_dotted(driver)}, and this PyTorch needs CUDA {torch_cuda}.",
        "PyTorch finds no GPU then, and the training would run on the CPU.",
        "Update the driver of the machine, or use a PyTorch that was built for an older CUDA.",
        2,
    )


def unusable_mode(index: int, mode: str) -> Problem | None:
    """Return a problem if the compute mode of a GPU lets no process, or one alone, compute on it."""
    fix = "Ask who runs the machine for the default mode (nvidia-smi --compute-mode=DEFAULT)."
    if mode == "prohibited":
        return Problem(f"GPU {index} is closed to computing.", "Its compute mode is 'prohibited'.", fix, 2)
    if mode == "exclusive process":
        why = "Its compute mode is 'exclusive process': a second training or a prediction beside it fails."
        return Problem(f"GPU {index} takes one process at a time.", why, fix)
    return None


def little_memory(index: int, free: int) -> Problem | None:
    """Return a problem if others have left too little memory of a GPU for the smallest training."""
    if free >= _LEAST_FREE:
        return None
    return Problem(
        f"GPU {index} has {format_size(free)} of free memory.",
        f"The smallest training needs about {format_size(_LEAST_FREE)}; other processes have the rest.",
        "Wait until they have ended (nvidia-smi lists them), or use another GPU.",
        TransientError.exit_code,
    )


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


def active_features() -> str:
    """List what a training on a GPU uses here, and what it could use and does not."""
    import torch

    active = ["copies from pinned memory"]
    if torch.get_float32_matmul_precision() != "highest":
        active.append("TF32")
    found = [name for name in ("cuequivariance", "openequivariance") if importlib.util.find_spec(name)]
    return f"{', '.join(active)}" + (f"; installed and not used: {', '.join(found)}" if found else "")


def uses(free: Sequence[int | None]) -> Iterator[Finding]:
    """Say how trainings and predictions use GPUs here: where graphs lie, how batches are padded, what is recorded.

    Args:
        free: Free memory of each GPU, bytes; None where it cannot be asked.
    """
    import torch

    from phase2.config.settings import packed_runs
    from phase2.data.resident import MOST_SHARE
    from phase2.models.kernels import why_not
    from phase2.prediction.forward.passes import GPU_BUCKETS

    rooms = [
        f"device {index}: up to {format_size(int(MOST_SHARE * memory / packed_runs()))}"
        for index, memory in enumerate(free)
        if memory is not None
    ]
    kept = f"kept on the GPU where they are small enough, {'; '.join(rooms)}" if rooms else "sent from pinned memory"
    yield Finding("GPU", "graphs", kept)
    yield Finding(
        "GPU",
        "padding",
        f"of predictions to {GPU_BUCKETS} sizes (--padding-buckets), of training where training.padding_buckets is set",
    )
    yield Finding(
        "GPU", "recorded steps", "of predictions, and of padded training in one process, where a trial finds a gain"
    )
    why = why_not("triton", torch.device("cuda"))
    fused = (
        f"PyTorch's operations alone: {why}" if why else "fused ones of e3nn in training, where a trial finds a gain"
    )
    yield Finding("GPU", "kernels", fused)


def _free_memory() -> list[int | None]:
    import torch

    found: list[int | None] = []
    for index in range(torch.cuda.device_count()):
        try:
            found.append(torch.cuda.mem_get_info(index)[0])
        except RuntimeError:  # the check of its memory says why
            found.append(None)
    return found


def _nccl() -> str:
    import torch

    if not (torch.distributed.is_available() and torch.distributed.is_nccl_available()):
        return "not in this PyTorch"
    return ".".join(map(str, torch.cuda.nccl.version()))  # type: ignore[no-untyped-call]


def _precision() -> str:
    import torch

    from phase2.models.precision import computes_in_bf16

    devices = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    without = [str(device.index) for device in devices if not computes_in_bf16(device)]
    return f"fp32 alone on device {', '.join(without)}" if without else "fp32, bf16"


def _dotted(version: _Version) -> str:
    return ".".join(map(str, version))
