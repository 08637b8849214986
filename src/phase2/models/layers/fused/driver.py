"""The C part of Triton's driver, compiled when the image was built, since the image has no compiler."""

from __future__ import annotations

from pathlib import Path

import triton

PREBUILT = Path(triton.__file__).parent / "backends" / "nvidia" / "cuda_utils.so"
"""Where ``scripts/triton_driver.py`` puts it."""


def use_prebuilt_driver() -> bool:
    """Let Triton take the compiled driver instead of a compiler; return whether it is there."""
    if not PREBUILT.is_file():
        return False
    triton.knobs.build.impl = prebuilt
    return True


def prebuilt(name: str, *_: object) -> str:
    """Return the path of what Triton wants to compile.

    Args:
        name: Name of the library.

    Raises:
        RuntimeError: It is another one.
    """
    if name != "cuda_utils":
        raise RuntimeError(f"This image has no C compiler, which Triton needs for '{name}'.")
    return str(PREBUILT)
