"""The run that ``--resume`` continues."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phase2.config.resolve import flatten
from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError, RequestError
from phase2.runs.layout import RunDirectory, runs_of_family
from phase2.runs.manifest import read_manifest
from phase2.runs.recorded_config import RecordedConfig

_DIFFERENCES_SHOWN = 5


def find_unfinished(output: Path, config: RunConfig) -> RunDirectory:
    """Find the newest run of a configuration that is neither finished nor being worked on.

    A run with a checkpoint goes before one that has none yet.

    Args:
        output: Folder that holds the families.
        config: The configuration of the request.

    Raises:
        RequestError: There is none; where the newest unfinished run of the family has another configuration, the
            message says in what.
    """
    unfinished = list(_unfinished(output / config.family))
    same = [run for run, recorded in unfinished if recorded.digest == config.digest]
    if same:
        return max(same, key=lambda run: (run.checkpoint.exists(), run.name))
    why = "A run that is finished or being worked on in another process cannot be resumed."
    if unfinished:
        run, recorded = unfinished[-1]
        changes = "; ".join(differences(recorded.config, config, most=_DIFFERENCES_SHOWN))
        why = f"The newest unfinished one, {run.name}, has other settings: {changes}."
    raise RequestError(
        f"There is no unfinished run of this request in {output / config.family}.",
        why=why,
        fix="Give the same options as that run, or start a new one without --resume.",
    )


def find_run(output: Path, family: str, run_id: str) -> RunDirectory | None:
    """Find the run of a family by its id, for attempts that share one (``PHASE2_RUN_ID``)."""
    return next((run for run in runs_of_family(output / family) if run.run_id == run_id), None)


def is_finished(run: RunDirectory) -> bool:
    """Whether a run's manifest says that it is finished; a manifest that cannot be read says nothing."""
    try:
        return read_manifest(run.manifest).status == "finished"
    except ModelFileError:
        return False


def differences(old: RunConfig, new: RunConfig, *, most: int) -> list[str]:
    """Name the first values in which two configurations differ: ``training.lr: 0.001 -> 0.01``."""
    before, after = (dict(flatten(config.model_dump(mode="json"))) for config in (old, new))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    shown = [f"{path}: {_word(before.get(path))} -> {_word(after.get(path))}" for path in paths[:most]]
    return shown if len(paths) <= most else [*shown, f"and {len(paths) - most} more"]


def _unfinished(family: Path) -> Iterator[tuple[RunDirectory, RecordedConfig]]:
    for run in runs_of_family(family):
        try:
            recorded = RecordedConfig.read(run)
        except ModelFileError:
            continue
        if not is_finished(run) and not run.is_running():
            yield run, recorded


def _word(value: object) -> str:
    if value is None:
        return "none"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
