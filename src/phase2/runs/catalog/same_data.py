"""Whether errors of runs are of the same crystals and labels, whatever else the runs are trained for."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.runs.catalog.summary import RunSummary
from phase2.runs.records.manifest import RunManifest


def on_same_data(manifests: Sequence[RunManifest]) -> bool:
    """Return whether the errors of runs compare: data and split are the same, and the labels of what they share.

    The fingerprint of the data alone does not tell: it depends on the properties that a run is trained for.
    """
    runs = [RunSummary.from_manifest(one.family, one.model_dump_json().encode()) for one in manifests]
    if len({run.data for run in runs}) <= 1:
        return True
    kinds = [{error_kind(run, key) for run in runs if key in run.properties} for key in _keys(runs)]
    return len({run.division for run in runs}) == 1 and all(len(one) == 1 for one in kinds)


def error_kind(run: RunSummary, key: str) -> object:
    """Return what is equal for runs whose validation errors of a property compare."""
    return run.division, run.val_labels.get(key), run.own_labels.get(key), key in run.val_log_loss


def _keys(runs: Sequence[RunSummary]) -> set[str]:
    return {key for run in runs for key in run.properties}
