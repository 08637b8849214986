"""What a model file says beside its weights, read without PyTorch.

The first steps of every command, and all of the cluster's, do without PyTorch. A model file is a ZIP archive whose
pickle refers to the tensors' storages by name, so that all else in it can be read alone.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError
from phase2.runs.lineage import Lineage

FORMAT = "phase2-model"


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """Content of a model file without its weights.

    Attributes:
        sha256: SHA-256 of the file.
        run_id: Run that trained it.
        epoch: Epoch of its weights, counted from 1.
        config: Configuration of that run.
        transforms: Transform of the labels of each property that it predicts, in the order of its outputs.
        scaler: Numbers of its normaliser, P of each.
        species: Atomic numbers that occur in its training crystals.
        mean_neighbors: Mean number of edges per atom of its training crystals.
        lineage: What it had started from; None for random weights.
    """

    sha256: str
    run_id: str
    epoch: int
    config: RunConfig
    transforms: Mapping[str, str]
    scaler: Mapping[str, list[float]]
    species: tuple[int, ...]
    mean_neighbors: float
    lineage: Lineage | None


def read_model_header(path: Path) -> ModelHeader:
    """Read the header of a model file; the weights themselves are checked where they are loaded.

    Raises:
        ModelFileError: The file is missing, damaged or no model file.
    """
    content, digest = _read(path)
    try:
        return ModelHeader(
            sha256=digest,
            run_id=str(content["run_id"]),
            epoch=int(content["epoch"]),
            config=RunConfig.model_validate_json(content["config"]),
            transforms={str(row["key"]): str(row["transform"]) for row in content["properties"]},
            scaler=dict(content["scaler"]),
            species=tuple(map(int, content["species"])),
            mean_neighbors=float(content["mean_neighbors"]),
            lineage=Lineage.model_validate_json(content["lineage"]) if content.get("lineage") else None,
        )
    except (LookupError, TypeError, ValueError, ValidationError) as error:
        raise _unusable(path, f"An entry is missing or has another form: {error}") from error


def _read(path: Path) -> tuple[dict[str, Any], str]:
    if not path.is_file():
        raise ModelFileError(f"There is no model file {path}.", fix="Check the path.")
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with zipfile.ZipFile(path) as archive:
            (name,) = [one for one in archive.namelist() if one.endswith("/data.pkl")]
            with archive.open(name) as pickled:
                content = _HeaderUnpickler(pickled).load()
    except (pickle.UnpicklingError, zipfile.BadZipFile, ValueError, LookupError, EOFError, AttributeError) as error:
        raise _unusable(path, "It is damaged, or holds more than tensors and plain values") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _unusable(path, f"Its content is not marked '{FORMAT}'")
    return content, digest


class _HeaderUnpickler(pickle.Unpickler):
    """Unpickler that makes plain values only, and None of every tensor."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" or (module == "torch" and name.endswith("Storage")):
            return _nothing
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, _: object) -> None:
        return None


def _nothing(*_: object) -> None:
    return None


def _unusable(path: Path, why: str) -> ModelFileError:
    return ModelFileError(f"The model file {path} cannot be used.", why=f"{why}.", fix="Use another copy of the file.")
