"""What a model file says beside its weights, read without PyTorch.

The first steps of every command, and all of the cluster's, do without PyTorch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError
from phase2.runs.ancestry.model_content import FORMAT, ModelContent, explain_invalid
from phase2.runs.records.lineage import Lineage
from phase2.storage.archive.errors import ArchiveError
from phase2.storage.archive.reader import read_structure


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """Content of a model file without its weights.

    Attributes:
        sha256: SHA-256 of the file.
        run_id: Run that trained it.
        epoch: Epoch of its weights, counted from 1.
        config: Configuration of that run.
        learned: How the labels of each property are learned: heads mean the same where it is equal.
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
    learned: Mapping[str, str]
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
    if not path.is_file():
        raise ModelFileError(f"There is no model file {path}.", fix="Check the path.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            found = read_structure(file)
        except ArchiveError as error:
            raise _unusable(path, str(error)) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _unusable(path, f"its content is not marked '{FORMAT}'")
    try:
        return _header(ModelContent.model_validate(found), digest)
    except ValidationError as error:
        raise _unusable(path, explain_invalid(error)) from error


def _header(content: ModelContent, digest: str) -> ModelHeader:
    return ModelHeader(
        sha256=digest,
        run_id=content.run_id,
        epoch=content.epoch,
        config=content.parsed_config(),
        learned={row.key: row.as_property().learned_as for row in content.properties},
        transforms={row.key: row.transform for row in content.properties},
        scaler=content.scaler.model_dump(),
        species=tuple(content.species),
        mean_neighbors=content.mean_neighbors,
        lineage=content.parsed_lineage(),
    )


def _unusable(path: Path, why: str) -> ModelFileError:
    reason = f"{why[:1].upper()}{why[1:]}."
    return ModelFileError(f"The model file {path} cannot be used.", why=reason, fix="Use another copy of the file.")
