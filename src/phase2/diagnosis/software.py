"""Check of the software: phase2, Python, PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.gpu import check_gpus
from phase2.machine.code import detect_code


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
    yield from check_gpus()
