"""Changing values in model files and checkpoints, for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from phase2.models.files.digest import ENTRY, content_digest


def alter_tensor_file(path: Path, change: Callable[[dict[str, Any]], object], *, sign: bool = True) -> Path:
    """Change the content of a file and write it again as PyTorch does.

    Args:
        path: The file.
        change: Changes the content in place.
        sign: Also replace the digest of the content, if it has one, so that only the change itself can be noticed.
    """
    content = torch.load(path, weights_only=True)
    change(content)
    save_signed(content, path, sign=sign)
    return path


def save_signed(content: dict[str, Any], path: Path, *, sign: bool = True) -> None:
    """Write content as PyTorch does, with the digest that it has then, if it had one."""
    if sign and ENTRY in content:
        content[ENTRY] = content_digest(content)
    torch.save(content, path)
