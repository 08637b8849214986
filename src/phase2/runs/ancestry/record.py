"""Recording what a run takes over from the model that it starts from."""

from __future__ import annotations

from pathlib import Path

from phase2.config.schema import FineTuningConfig, RunConfig
from phase2.errors import ModelFileError
from phase2.runs.addresses import model_file_at
from phase2.runs.ancestry.model_header import ModelHeader, read_model_header
from phase2.runs.layout import RunDirectory
from phase2.runs.records.lineage import Ancestor, Lineage, Normalisation
from phase2.runs.records.manifest import read_manifest


def lineage_of(config: RunConfig) -> Lineage | None:
    """Read what a run takes over from the model that it starts from; None for one with random weights.

    Raises:
        ModelFileError: The model file is missing or damaged, or is not the one of the configuration.
        RequestError: There is no such run.
        DataError: The model file is damaged in the store.
        TransientError: The store does not answer.
    """
    if config.fine_tuning is None:
        return None
    path = source_file(config.fine_tuning)
    header = read_model_header(path)
    _refuse_another(header, config.fine_tuning)
    own = [config.get_property(key) for key in config.properties]
    kept = () if config.fine_tuning.new_heads else tuple(
        p.key for p in own if header.learned.get(p.key) == p.learned_as
    )  # fmt: skip
    before = header.lineage
    return Lineage(
        source=_ancestor(header, config, path),
        ancestors=_ancestors(before, same_split=_same_split(header, config)) if before else (),
        kept=kept,
        new=tuple(key for key in config.properties if key not in kept),
        normalisation={key: _normalisation(header, key) for key in kept},
        mean_neighbors=header.mean_neighbors,
        species=header.species,
    )


def source_file(tuning: FineTuningConfig) -> Path:
    """Return the model file that a run starts from.

    Raises:
        ModelFileError: It is not there.
        RequestError: There is no such run.
        DataError: It is damaged in the store.
        TransientError: The store does not answer.
    """
    path = model_file_at(tuning.source)
    if not path.is_file():
        raise ModelFileError(
            f"The model {tuning.source} is not there.",
            why="A run that starts from a model needs it until its first checkpoint.",
            fix="Bring the file back, or start another run from where it is now.",
        )
    return path


def _refuse_another(header: ModelHeader, tuning: FineTuningConfig) -> None:
    if header.sha256 != tuning.sha256:
        raise ModelFileError(
            f"The model {tuning.source} is not the one that this run starts from.",
            why=f"Its SHA-256 begins with {header.sha256[:12]}, and the configuration names {tuning.sha256[:12]}.",
            fix="Bring back that file, or drop fine_tuning.sha256 to start from the present one.",
        )


def _ancestor(header: ModelHeader, config: RunConfig, path: Path) -> Ancestor:
    assert config.fine_tuning is not None  # noqa: S101 - the caller's condition
    return Ancestor(
        run_id=header.run_id,
        address=config.fine_tuning.source,
        sha256=header.sha256,
        epoch=header.epoch,
        properties=tuple(header.transforms),
        data=header.config.data.source,
        data_fingerprint=_data_fingerprint(path, header.run_id),
        same_split=_same_split(header, config),
    )


def _ancestors(lineage: Lineage, *, same_split: bool) -> tuple[Ancestor, ...]:
    """Return what a source had started from; its split is compared with the source's, and so through it."""
    chain = (lineage.source, *lineage.ancestors)
    return tuple(one.model_copy(update={"same_split": one.same_split and same_split}) for one in chain)


def _same_split(header: ModelHeader, config: RunConfig) -> bool:
    """Compare what decides the parts of crystals; how labels are learned, graphs and the number of samples do not."""
    same = {"max_samples": None, "graph": config.data.graph, "per_volume": ()}
    return header.config.data.model_copy(update=same) == config.data.model_copy(update=same)


def _data_fingerprint(path: Path, run_id: str) -> str | None:
    """Return the fingerprint that the manifest beside a model file names; None where there is none of its run."""
    manifest = RunDirectory(path.parent).manifest
    if not manifest.is_file():
        return None
    found = read_manifest(manifest)
    return found.data.fingerprint if found.run_id == run_id and found.data is not None else None


def _normalisation(header: ModelHeader, key: str) -> Normalisation:
    column = list(header.transforms).index(key)
    return Normalisation(mean=header.scaler["mean"][column], std=header.scaler["std"][column])
