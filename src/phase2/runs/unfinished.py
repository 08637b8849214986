"""The run that is continued: by ``--resume``, or by another attempt that shares its id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phase2.config.resolve import flatten
from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError, RequestError
from phase2.runs.layout import RunDirectory, runs_of_family
from phase2.runs.manifest import read_manifest
from phase2.runs.recorded_config import RecordedConfig


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
        why = f"The newest unfinished one, {run.name}, has other settings: {differences(recorded.config, config)}."
    raise RequestError(
        f"There is no unfinished run of this request in {output / config.family}.",
        why=why,
        fix="Give the same options as that run, or start a new one without --resume.",
    )


def find_begun(output: Path, config: RunConfig, run_id: str) -> RunDirectory | None:
    """Find the run that an earlier attempt with the same id (``PHASE2_RUN_ID``) began; None when this is the first.

    Args:
        output: Folder that holds the families.
        config: The configuration of the request.
        run_id: The id that the attempts share.

    Raises:
        RequestError: The run has another configuration; the message says in what.
        ModelFileError: Its configuration is damaged.
    """
    run = next((run for run in runs_of_family(output / config.family) if run.run_id == run_id), None)
    if run is None or not run.run_config.exists():  # an attempt may have ended before it wrote anything
        return run
    recorded = RecordedConfig.read(run)
    if recorded.digest != config.digest:
        raise RequestError(
            f"The run '{run_id}' exists with other settings.",
            why=f"{differences(recorded.config, config)}.",
            fix="Repeat its options, or set PHASE2_RUN_ID to another name.",
        )
    return run


def is_finished(run: RunDirectory) -> bool:
    """Whether a run's manifest says that it is finished; a manifest that cannot be read says nothing."""
    try:
        return read_manifest(run.manifest).status == "finished"
    except ModelFileError:
        return False


def differences(old: RunConfig, new: RunConfig, *, most: int = 5) -> str:
    """Name the first values in which two configurations differ: ``seed: 42 -> 7; training.lr: 0.001 -> 0.01``."""
    before, after = (dict(flatten(config.model_dump(mode="json"))) for config in (old, new))
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    shown = [f"{path}: {_word(before.get(path))} -> {_word(after.get(path))}" for path in paths[:most]]
    return "; ".join(shown if len(paths) <= most else [*shown, f"and {len(paths) - most} more"])


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
