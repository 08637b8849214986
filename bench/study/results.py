"""The finished runs of a study in a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.study.recorded import Measurement, StudyResult, portable, settings_digest
from bench.study.rows import StudyRun
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.runs.keys import manifest_key
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.remote.ids import run_of_id
from phase2.runs.resume.config_diff import differences
from phase2.storage.base import Store


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run of a study in a store.

    Attributes:
        run: What was declared.
        prefix: ``<family>/<name>`` in the store.
        manifest: Its manifest.
    """

    run: StudyRun
    prefix: str
    manifest: RunManifest

    @property
    def seconds(self) -> float:
        """Seconds of all epochs together."""
        return (self.manifest.mean_epoch_seconds or 0) * (self.manifest.epochs or 0)

    @property
    def val(self) -> dict[str, float]:
        """Validation MAE by property."""
        return errors_by_property(self.manifest.val)

    def result(self, heldout: Mapping[str, float] | None = None) -> StudyResult:
        """Return what is recorded of the run.

        Args:
            heldout: Errors on crystals that decided nothing; None where they have not been looked at.
        """
        config, code, hardware = self.manifest.config, self.manifest.code, self.manifest.hardware
        return StudyResult(
            self.run,
            Measurement(
                run=self.run.run_id,
                settings=settings_digest(config),
                data=Path(config.data.source).name,
                val=self.val,
                heldout=None if heldout is None else dict(heldout),
                seconds=round(self.seconds, 1),
                phase2=code.phase2,
                commit=code.commit,
                changed=bool(code.dirty),
                machine=hardware.gpu or hardware.cpu,
                threads=hardware.threads,
            ),
        )


def errors_by_property(metrics: Iterable[PropertyMetrics]) -> dict[str, float]:
    """Return the mean absolute errors by property."""
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
    changed = differences(portable(manifest.config), portable(declared))
    if changed:
        raise RequestError(
            f"The run {run.run_id} in {store.url} is not the one that the study declares.",
            why=f"It was trained with other settings: {changed}.",
            fix="Use another store, or remove the run with 'phase2 runs delete'.",
        )
    return Finished(run, prefix, manifest)
