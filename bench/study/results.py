"""The finished runs of a study in a store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.study.rows import StudyRun
from phase2.config.resolve import resolve
from phase2.config.schema import RunConfig
from phase2.errors import RequestError
from phase2.runs.keys import manifest_key
from phase2.runs.manifest import RunManifest
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.remote.ids import run_of_id
from phase2.runs.resume.config_diff import differences
from phase2.storage.base import Store

Key = tuple[str, str, int]
"""A run of a study: variant, target, seed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run of a study.

    Attributes:
        run: What was declared.
        prefix: ``<family>/<name>`` in the store.
        manifest: Its manifest.
    """

    run: StudyRun
    prefix: str
    manifest: RunManifest

    @property
    def key(self) -> Key:
        """Variant, target and seed."""
        return self.run.row.variant.name, self.run.row.target, self.run.seed

    @property
    def seconds(self) -> float:
        """Seconds of all epochs together."""
        return (self.manifest.mean_epoch_seconds or 0) * (self.manifest.epochs or 0)

    def mae(self, part: str) -> dict[str, float]:
        """Return the mean absolute errors by property on ``val`` or ``test``."""
        metrics = self.manifest.val if part == "val" else self.manifest.test
        return {one.key: one.mae for one in metrics if one.mae is not None}


def finished_runs(store: Store, runs: Iterable[StudyRun]) -> list[Finished]:
    """Return those of the runs that are finished in a store.

    Raises:
        RequestError: One was trained with other settings than those declared.
    """
    return [found for run in runs if (found := finished_run(store, run)) is not None]


def finished_run(store: Store, run: StudyRun) -> Finished | None:
    """Return a run if it is finished in a store, else None.

    Raises:
        RequestError: It was trained with other settings than those declared.
    """
    prefix = run_of_id(store, run.run_id)
    if prefix is None or store.head(manifest_key(prefix)) is None:
        return None
    manifest = PublishedRun.open(store, prefix).manifest
    if manifest.status != "finished":
        return None
    declared = resolve(run.request()).config
    changed = differences(_portable(manifest.config), _portable(declared))
    if changed:
        raise RequestError(
            f"The run {run.run_id} in {store.url} is not the one that the study declares.",
            why=f"It was trained with other settings: {changed}.",
            fix="Use another store, or remove the run with 'phase2 runs delete'.",
        )
    return Finished(run, prefix, manifest)


def _portable(config: RunConfig) -> RunConfig:
    """Name the data by their file name, which holds a digest where a study made the file."""
    data = config.data.model_copy(update={"source": Path(config.data.source).name})
    return config.model_copy(update={"data": data})
