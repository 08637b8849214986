"""A model file as Safetensors and JSON, as the Hugging Face Hub has them: ``model.safetensors`` and ``config.json``.

Together they hold every entry of a ``best.pt``, and the digest of its content: what is read back is that content, bit
for bit, or is refused.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from phase2.errors import ModelFileError
from phase2.models.files.digest import ENTRY, content_digest
from phase2.models.files.tensorfile import load_tensor_file
from phase2.runs.ancestry.model_content import FORMAT, VERSION, ModelContent, explain_invalid
from phase2.runs.layout import SAFETENSORS
from phase2.storage.archive.pickled import TensorInfo
from phase2.storage.disk.atomic import write_bytes, write_text
from phase2.storage.records import read_limited

CONFIG = "config.json"
_ENTRIES = "phase2"
"""Entry of ``config.json`` that holds those of the model file; the Hub reads the others."""
_GROUPS = ("weights", "uncertainty")
"""Entries of a model file that hold tensors; the names of theirs have the entry before them."""


def write_safetensors(best: Path, folder: Path) -> None:
    """Write the content of a model file into a folder as Safetensors and JSON.

    Args:
        best: The model file.
        folder: The folder, which exists.

    Raises:
        ModelFileError: The model file cannot be used.
        MissingExtraError: Safetensors is not installed.
    """
    from safetensors.torch import save

    checked, content = load_tensor_file(
        best, kind="model file", file_format=FORMAT, version=VERSION, check=ModelContent.model_validate
    )
    tensors, entries = _split(content)
    entries[ENTRY] = content_digest(content)
    config = checked.parsed_config()
    described = {"model_type": f"phase2-{config.algorithm}", "library_name": "phase2", _ENTRIES: _encoded(entries)}
    write_bytes(folder / SAFETENSORS, save(tensors, metadata={"format": "pt"}))
    write_text(folder / CONFIG, json.dumps(described, indent=2, allow_nan=False) + "\n")


def read_safetensors(path: Path) -> tuple[ModelContent, dict[str, object]]:
    """Read ``model.safetensors`` and the ``config.json`` beside it.

    Returns:
        The checked entries, and the content, as :func:`phase2.models.files.tensorfile.load_tensor_file` does.

    Raises:
        ModelFileError: A file is missing, damaged, or was changed.
        MissingExtraError: Safetensors is not installed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        described = json.loads(read_limited(path.parent / CONFIG))
        content = _joined(described[_ENTRIES], load_file(path))
        digest = content[ENTRY]
        checked = ModelContent.model_validate(_described(content))
    except ValidationError as error:
        raise _unusable(path, f"{explain_invalid(error)}.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        why = f"It or the {CONFIG} beside it is missing or damaged: {type(error).__name__}."
        raise _unusable(path, why) from error
    if digest != content_digest(content):
        raise _unusable(path, "It was changed after it was written: its digest is another one.")
    return checked, content


def _split(content: dict[str, object]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors by name, and everything else."""
    tensors: dict[str, Tensor] = {}
    entries: dict[str, Any] = {}
    for name, value in content.items():
        if name in _GROUPS and isinstance(value, dict):
            group = {key: each for key, each in value.items() if isinstance(each, Tensor)}
            # Each with memory of its own, which the format asks for.
            tensors |= {f"{name}.{key}": tensor.contiguous().clone() for key, tensor in group.items()}
            # In their order, which the digest covers.
            entries[name] = {key: None if key in group else each for key, each in value.items()}
        else:
            entries[name] = value
    return tensors, entries


def _joined(entries: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, object]:
    content: dict[str, object] = _decoded(entries)
    for name in _GROUPS:
        group = content.get(name)
        if isinstance(group, dict):
            own = {key: tensors[f"{name}.{key}"] if value is None else value for key, value in group.items()}
            content[name] = own
    return content


def _described(content: dict[str, object]) -> dict[str, object]:
    """Return the content with a description in the place of each tensor."""

    def described(value: object) -> object:
        if isinstance(value, dict):
            return {key: described(each) for key, each in value.items()}
        return TensorInfo(str(value.dtype), tuple(value.shape)) if isinstance(value, Tensor) else value

    return {key: described(value) for key, value in content.items()}


# Bounds of a normaliser may be infinite, for which JSON has no number.
_INFINITE = {"Infinity": math.inf, "-Infinity": -math.inf}


def _encoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _encoded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_encoded(each) for each in value]
    return next((name for name, number in _INFINITE.items() if value == number), value)


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _decoded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_INFINITE.get(each, each) if isinstance(each, str) else _decoded(each) for each in value]
    return value


def _unusable(path: Path, why: str) -> ModelFileError:
    return ModelFileError(
        f"The model file {path} cannot be used.", why=why, fix=f"Download {SAFETENSORS} and {CONFIG} again, together."
    )
