"""The configurations of runs, setting by setting: values, origins, and where runs differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phase2.runs.report.html.inputs import RunInput

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting.

    Attributes:
        path: Its dotted path.
        values: Its value in each run, as text; None where a run has no such setting.
        origins: Where each value comes from.
    """

    path: str
    values: tuple[str | None, ...]
    origins: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs differ in it."""
        return len(set(self.values)) > 1

    @property
    def is_default(self) -> bool:
        """Whether it has its default in every run."""
        return all(origin in (DEFAULT, "") for origin in self.origins)


def setting_rows(runs: Sequence[RunInput]) -> list[SettingRow]:
    """Return the settings of runs, in the order of the configuration."""
    flat = [dict(_flatten(run.config.model_dump(mode="json"))) for run in runs]
    paths = dict.fromkeys(path for one in flat for path in one)
    return [
        SettingRow(path, tuple(one.get(path) for one in flat), tuple(_origin(run.origins, path) for run in runs))
        for path in paths
    ]


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _origin(origins: Mapping[str, str], path: str) -> str:
    """Origin of a setting, or of the group that holds it."""
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0]
    return ""
