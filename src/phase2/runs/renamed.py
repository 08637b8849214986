"""Runs whose folder was renamed or moved within a folder of runs, so that no list has them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from phase2.config.levels import PROFILES, Algorithm, Mode
from phase2.runs.keys import folder_of
from phase2.runs.layout import CONFIG, TIME_FORMAT, holds_run
from phase2.storage.base import Store


class RenamedRun(NamedTuple):
    """A folder of a run under a name that is none of a run.

    Attributes:
        folder: The folder.
        prefix: ``<family>/<run name>`` that its configuration says; None where that cannot be read.
    """

    folder: Path
    prefix: str | None


def renamed_runs(store: Store) -> list[RenamedRun]:
    """Return what holds a run's files and is not listed, where the store is a folder: in it, or in a family's folder.

    No file is opened but the configurations of such runs.
    """
    root = folder_of(store)
    if root is None:
        return []
    found = []
    for family in store.folders():
        if family.startswith("."):
            continue
        if holds_run(root / family):
            found.append(root / family)
            continue
        names = (prefix.rpartition("/")[2] for prefix in store.folders(f"{family}/"))
        found += [
            root / family / name
            for name in names
            if not name.startswith(("run_", ".")) and holds_run(root / family / name)
        ]
    return [RenamedRun(folder, recorded_prefix(folder)) for folder in found]


def recorded_prefix(folder: Path) -> str | None:
    """Return where a run was made, ``<family>/<run name>``, by its configuration; None where that cannot be read."""
    try:
        found = _Recorded.model_validate_json((folder / CONFIG).read_bytes())
    except (OSError, ValidationError):
        return None
    profile = PROFILES[found.config.algorithm, found.config.mode]
    return f"{profile.family}/run_{found.created.strftime(TIME_FORMAT)}_{found.run_id}"


class _Config(BaseModel):
    model_config = ConfigDict(extra="ignore")

    algorithm: Algorithm
    mode: Mode


class _Recorded(BaseModel):
    """Part of a run's configuration."""

    model_config = ConfigDict(extra="ignore")

    run_id: str
    created: AwareDatetime
    config: _Config
