"""The model file ``best.pt``: everything needed to predict, in one file that is safe to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from phase2 import __version__
from phase2.config.schema import RunConfig
from phase2.data.targets import TargetScaler
from phase2.errors import ModelFileError
from phase2.models.base import CrystalModel
from phase2.models.build import build_network
from phase2.models.files.safetensors_folder import read_safetensors
from phase2.models.files.tensorfile import load_tensor_file, save_tensor_file
from phase2.properties import Property
from phase2.runs.ancestry.model_content import FORMAT, VERSION, ModelContent, PropertyContent, explain_invalid
from phase2.runs.layout import SAFETENSORS
from phase2.runs.records.lineage import Lineage
from phase2.storage.archive.pickled import TensorInfo
from phase2.uncertainty.estimator import UncertaintyEstimator


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
        "properties": [PropertyContent.entry(p) for p in trained.properties],
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
    """Read a model file, which needs no other file; or a ``model.safetensors`` with its ``config.json``.

    Raises:
        ModelFileError: The file is missing, damaged, unsafe, no model file, or made by a newer phase2.
    """
    if path.name == SAFETENSORS:
        return _build(path, *read_safetensors(path))
    content, held = load_tensor_file(
        path, kind="model file", file_format=FORMAT, version=VERSION, check=ModelContent.model_validate
    )
    return _build(path, content, held)


def _build(path: Path, content: ModelContent, held: Mapping[str, object]) -> TrainedModel:
    weights, known = held["weights"], held.get("uncertainty")
    assert isinstance(weights, dict)  # noqa: S101 - checked with all entries
    properties = tuple(row.as_property() for row in content.properties)
    try:
        config, lineage = content.parsed_config(), content.parsed_lineage()
        model = _network(config, len(properties), content.mean_neighbors, content.weights)
        load_tensors(model, weights)
        scaler = TargetScaler.from_dict(content.scaler.model_dump(), properties)
        uncertainty = UncertaintyEstimator.from_dict(known, scaler) if isinstance(known, dict) else None
        if uncertainty is not None and len(uncertainty.references.mean) != model.heads.features:
            raise ModelFileError("Its reference crystals have another number of features than its network.")
        if config.foundation is not None and content.features_digest is None:
            raise ModelFileError("The digest of the potential whose features it reads is missing.")
    except ValidationError as error:
        raise ModelFileError(
            f"The model file {path} cannot be used.",
            why=f"Its configuration or lineage is invalid. {explain_invalid(error)}.",
        ) from error
    except ModelFileError as error:
        raise ModelFileError(f"The model file {path} cannot be used.", why=str(error)) from error
    return TrainedModel(
        model=model.eval(),
        config=config,
        properties=properties,
        scaler=scaler,
        species=tuple(content.species),
        mean_neighbors=content.mean_neighbors,
        run_id=content.run_id,
        epoch=content.epoch,
        score=content.score,
        phase2_version=content.phase2_version,
        lineage=lineage,
        features_digest=None if config.foundation is None else content.features_digest,
        uncertainty=uncertainty,
    )


def _network(
    config: RunConfig, n_properties: int, mean_neighbors: float, weights: Mapping[str, TensorInfo]
) -> CrystalModel:
    """Build the network of a file, once its shapes are known to be those of the file: it takes no more memory then."""
    if config.algorithm != config.model.kind:
        raise _mismatch(f"Its algorithm is {config.algorithm}, and its network of {config.model.kind}.")
    if not mean_neighbors and config.model.kind == "e3nn":
        raise _mismatch("Its mean number of neighbours is zero.")
    with torch.device("meta"):
        expected = named_tensors(build_network(config, n_properties, mean_neighbors))
    _compare(_described(expected), weights)
    return build_network(config, n_properties, mean_neighbors)


def _described(tensors: Mapping[str, Tensor]) -> dict[str, TensorInfo]:
    return {name: TensorInfo(str(tensor.dtype), tuple(tensor.shape)) for name, tensor in tensors.items()}


def _compare(expected: Mapping[str, TensorInfo], found: Mapping[str, TensorInfo]) -> None:
    if expected.keys() != found.keys():
        odd = sorted(expected.keys() ^ found.keys())
        raise _mismatch(f"The model of this configuration and the file differ in: {', '.join(odd[:3])}.")
    for name, info in expected.items():
        if found[name] != info:
            raise _mismatch(f"'{name}' is {found[name]}, not {info}.")


def copy_tensors(model: torch.nn.Module) -> dict[str, Tensor]:
    """Copy all parameters and buffers to the CPU.

    Unlike a state_dict this includes tables that are computed when the model is made, such as the element table: a
    model must not change when a later phase2 computes them differently.
    """
    return {name: tensor.detach().cpu().clone() for name, tensor in named_tensors(model).items()}


def load_tensors(model: torch.nn.Module, tensors: Mapping[str, object]) -> None:
    """Copy tensors into the parameters and buffers of a model.

    Raises:
        ModelFileError: Names, shapes or dtypes differ from the model's, or a number is not finite.
    """
    expected = named_tensors(model)
    for name, value in tensors.items():
        if not isinstance(value, Tensor):
            raise _mismatch(f"'{name}' is {type(value).__name__}, not a tensor.")
    values = {name: value for name, value in tensors.items() if isinstance(value, Tensor)}
    _compare(_described(expected), _described(values))
    with torch.no_grad():
        for name, target in expected.items():
            value = values[name]
            if value.is_floating_point() and not bool(value.isfinite().all()):
                raise _mismatch(f"'{name}' holds numbers that are not finite.")
            target.copy_(value)


def named_tensors(model: torch.nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers by name."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _mismatch(why: str) -> ModelFileError:
    return ModelFileError("The weights do not fit.", why=why)
