"""The model file ``best.pt``: everything needed to predict, in one file that is safe to load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from phase2 import __version__
from phase2.config.schema import RunConfig
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.targets import TargetScaler
from phase2.errors import ModelFileError
from phase2.models.base import CrystalModel
from phase2.models.build import build_network
from phase2.models.files.tensorfile import load_tensor_file, require_entry, save_tensor_file
from phase2.properties import KEYS, Property
from phase2.runs.ancestry.model_header import FORMAT
from phase2.runs.lineage import Lineage
from phase2.uncertainty.estimator import UncertaintyEstimator

VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """Trained model with the data needed to apply it.

    Attributes:
        model: The network, in evaluation mode, on the CPU.
        config: Configuration of the run that trained it.
        properties: The properties it predicts, in the order of its outputs.
        scaler: Normaliser that converts its outputs to the properties' units.
        species: Atomic numbers that occur in its training crystals, ascending.
        mean_neighbors: Mean number of edges per atom of its training crystals.
        run_id: Id of the run.
        epoch: Epoch of its weights, counted from 1.
        score: Validation score of that epoch.
        phase2_version: Version of phase2 that trained it.
        lineage: What it had started from; None for random weights.
        features_digest: SHA-256 of the weights of the pretrained potential whose features it reads; None without one.
        uncertainty: Its errors on the validation crystals and what its training crystals look like; None while the run
            is not finished, and for runs of phase2 0.1.
    """

    model: CrystalModel
    config: RunConfig
    properties: tuple[Property, ...]
    scaler: TargetScaler
    species: tuple[int, ...]
    mean_neighbors: float
    run_id: str
    epoch: int
    score: float
    phase2_version: str = __version__
    lineage: Lineage | None = None
    features_digest: str | None = None
    uncertainty: UncertaintyEstimator | None = None


def save_model_file(path: Path, trained: TrainedModel, weights: Mapping[str, Tensor] | None = None) -> None:
    """Write a model file atomically.

    Args:
        path: The file.
        trained: The trained model.
        weights: Weights to write instead of the model's.
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        "phase2_version": trained.phase2_version,
        "run_id": trained.run_id,
        "config": trained.config.model_dump_json(),
        "properties": [asdict(p) for p in trained.properties],
        "units": [p.unit for p in trained.properties],
        "scaler": trained.scaler.to_dict(),
        "species": list(trained.species),
        "mean_neighbors": trained.mean_neighbors,
        "epoch": trained.epoch,
        "score": trained.score,
        "lineage": None if trained.lineage is None else trained.lineage.model_dump_json(),
        "features_digest": trained.features_digest,
        "weights": copy_tensors(trained.model) if weights is None else dict(weights),
    }
    if trained.uncertainty is not None:
        content["uncertainty"] = trained.uncertainty.to_dict()
    save_tensor_file(path, content)


def load_model_file(path: Path) -> TrainedModel:
    """Read a model file, which needs no other file.

    Raises:
        ModelFileError: The file is missing, damaged, unsafe, no model file, or made by a newer phase2.
    """
    content = load_tensor_file(path, kind="model file", file_format=FORMAT, version=VERSION)
    config = _config(require_entry(content, "config", str, path), path)
    properties = _properties(require_entry(content, "properties", list, path), path)
    mean_neighbors = require_entry(content, "mean_neighbors", float, path)
    try:
        model = build_network(config, len(properties), mean_neighbors)
        load_tensors(model, require_entry(content, "weights", dict, path))
        scaler = TargetScaler.from_dict(require_entry(content, "scaler", dict, path), properties)
        known = content.get("uncertainty")
        uncertainty = UncertaintyEstimator.from_dict(known, scaler) if isinstance(known, dict) else None
    except ModelFileError as error:
        raise ModelFileError(f"The model file {path} cannot be used.", why=str(error)) from error
    return TrainedModel(
        model=model.eval(),
        config=config,
        properties=properties,
        scaler=scaler,
        species=_species(require_entry(content, "species", list, path), path),
        mean_neighbors=mean_neighbors,
        run_id=require_entry(content, "run_id", str, path),
        epoch=require_entry(content, "epoch", int, path),
        score=require_entry(content, "score", float, path),
        phase2_version=require_entry(content, "phase2_version", str, path),
        lineage=_lineage(content.get("lineage"), path),
        features_digest=None if config.foundation is None else require_entry(content, "features_digest", str, path),
        uncertainty=uncertainty,
    )


def copy_tensors(model: torch.nn.Module) -> dict[str, Tensor]:
    """Copy all parameters and buffers to the CPU.

    Unlike a state_dict this includes tables that are computed when the model is made, such as the element table: a
    model must not change when a later phase2 computes them differently.
    """
    return {name: tensor.detach().cpu().clone() for name, tensor in _named_tensors(model).items()}


def load_tensors(model: torch.nn.Module, tensors: Mapping[str, object]) -> None:
    """Copy tensors into the parameters and buffers of a model.

    Raises:
        ModelFileError: Names, shapes or dtypes differ from the model's, or a number is not finite.
    """
    expected = _named_tensors(model)
    if expected.keys() != tensors.keys():
        odd = sorted(expected.keys() ^ tensors.keys())
        raise _mismatch(f"The model of this configuration and the file differ in: {', '.join(odd[:3])}.")
    with torch.no_grad():
        for name, target in expected.items():
            value = tensors[name]
            if not isinstance(value, Tensor) or value.shape != target.shape or value.dtype != target.dtype:
                found = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
                raise _mismatch(f"'{name}' is {found}, not {target.dtype} {tuple(target.shape)}.")
            if value.is_floating_point() and not bool(value.isfinite().all()):
                raise _mismatch(f"'{name}' holds numbers that are not finite.")
            target.copy_(value)


def _named_tensors(model: torch.nn.Module) -> dict[str, Tensor]:
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _config(text: str, path: Path) -> RunConfig:
    try:
        return RunConfig.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelFileError(
            f"The model file {path} cannot be used.", why=f"Its configuration is invalid at '{place}': {first['msg']}."
        ) from error


def _lineage(text: object, path: Path) -> Lineage | None:
    if text is None:
        return None
    try:
        return Lineage.model_validate_json(str(text))
    except ValidationError as error:
        raise ModelFileError(f"The model file {path} cannot be used.", why="Its lineage is damaged.") from error


def _properties(rows: Sequence[object], path: Path) -> tuple[Property, ...]:
    try:
        properties = tuple(Property(**row) for row in rows)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"The model file {path} cannot be used.", why="Its property list is damaged.") from error
    if not properties or not all(p.key in KEYS and p.transform in ("none", "log1p") for p in properties):
        raise ModelFileError(f"The model file {path} cannot be used.", why="Its property list is unknown.")
    return properties


def _species(numbers: Sequence[object], path: Path) -> tuple[int, ...]:
    species = tuple(z for z in numbers if type(z) is int and 1 <= z <= len(SYMBOLS))
    if len(species) != len(numbers):
        raise ModelFileError(f"The model file {path} cannot be used.", why="Its 'species' are no atomic numbers.")
    return species


def _mismatch(why: str) -> ModelFileError:
    return ModelFileError("The weights do not fit.", why=why)
