"""What may change between the attempts of one run, and what may not."""

from __future__ import annotations

from collections.abc import Collection

from phase2.config.resolve import flatten
from phase2.config.resumption import DATA_PATH
from phase2.config.schema import RunConfig
from phase2.errors import RequestError
from phase2.runs.run_config import RecordedConfig

_PATHS = {DATA_PATH: {"data.source"}}


def refuse_other_settings(recorded: RecordedConfig, config: RunConfig, *, accepted: Collection[str] = ()) -> str:
    """Refuse to continue a run with other settings than it was begun with.

    Args:
        recorded: What the run was begun for.
        config: The configuration of the request.
        accepted: ``data-path`` allows the data to be somewhere else; that they are the same is checked later.

    Returns:
        The changes that were accepted, in words; empty when there are none.

    Raises:
        RequestError: The settings differ; the message says in what.
    """
    if recorded.digest == config.digest:
        return ""
    old = recorded.config
    allowed = set().union(*(_PATHS.get(change, set()) for change in accepted))
    if set(_changed_paths(old, config)) <= allowed:
        return differences(old, config)
    moved = set(_changed_paths(old, config)) <= _PATHS[DATA_PATH]
    raise RequestError(
        f"The run '{recorded.run_id}' exists with other settings.",
        why=f"{differences(old, config)}.",
        fix=f"If the same data have moved, add --accept-change {DATA_PATH}."
        if moved
        else "Repeat its options, or start another run (no --resume, another PHASE2_RUN_ID).",
    )


def differences(old: RunConfig, new: RunConfig, *, most: int = 5) -> str:
    """Name the first values in which two configurations differ: ``seed: 42 -> 7; training.lr: 0.001 -> 0.01``."""
    before, after = _flat(old), _flat(new)
    paths = _changed_paths(old, new)
    shown = [f"{path}: {_word(before.get(path))} -> {_word(after.get(path))}" for path in paths[:most]]
    return "; ".join(shown if len(paths) <= most else [*shown, f"and {len(paths) - most} more"])


def _flat(config: RunConfig) -> dict[str, object]:
    return dict(flatten(config.model_dump(mode="json")))


def _changed_paths(old: RunConfig, new: RunConfig) -> list[str]:
    before, after = _flat(old), _flat(new)
    return [path for path in {**before, **after} if before.get(path) != after.get(path)]


def _word(value: object) -> str:
    if value is None:
        return "none"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
