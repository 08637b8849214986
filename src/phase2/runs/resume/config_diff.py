"""Differences between two configurations, by dotted path."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.config.resolve import flatten
from phase2.config.schema import RunConfig


def changed_paths(old: RunConfig, new: RunConfig) -> list[str]:
    """List the dotted paths of the values in which two configurations differ."""
    before, after = _flat(old), _flat(new)
    return [path for path in {**before, **after} if before.get(path) != after.get(path)]


def differences(old: RunConfig, new: RunConfig, paths: Sequence[str] | None = None, *, most: int = 5) -> str:
    """Describe the first values in which two configurations differ: ``seed: 42 -> 7; training.lr: 0.001 -> 0.01``.

    Args:
        old: The first.
        new: The second.
        paths: Paths to describe; all in which they differ by default.
        most: Most values that are described.
    """
    before, after = _flat(old), _flat(new)
    if paths is None:
        paths = changed_paths(old, new)
    shown = [f"{path}: {_text(before.get(path))} -> {_text(after.get(path))}" for path in paths[:most]]
    return "; ".join(shown if len(paths) <= most else [*shown, f"and {len(paths) - most} more"])


def _flat(config: RunConfig) -> dict[str, object]:
    return dict(flatten(config.model_dump(mode="json")))


def _text(value: object) -> str:
    if value is None:
        return "none"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
