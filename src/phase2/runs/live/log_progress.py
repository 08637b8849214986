"""Progress of a training, read from the lines that it prints: a table of text, or JSON."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from phase2.output.durations import parse_short_duration
from phase2.runs.live.points import EpochPoint
from phase2.runs.live.table import BEST, COLUMNS, MISSING

_BEGIN = re.compile(r"training: ([\d,]+) epochs, ([\d,]+) steps(?:, from step ([\d,]+))?")
_STEP = re.compile(r"\s+step ([\d,]+) of ([\d,]+)(?:, ([\d,]+) crystals/s)?(?:, (\w+) left)?")
_EPOCH = re.compile(r"\s*(\d+)/(\d+)\s")
_SECONDS = re.compile(r"(\d+\.\d)s")


class LogProgress:
    """What the lines of a training's log say so far. Any other line is ignored.

    Attributes:
        epochs: Epochs in all; 0 while that is not known.
        steps: Steps in all; 0 while that is not known.
        step: Steps taken; 0 while that is not known.
        rate: Crystals per second; None while that is not known.
        points: Epochs that were printed, in order; of an epoch that was trained twice, the newer.
    """

    def __init__(self) -> None:
        self.epochs = self.steps = self.step = 0
        self.rate: float | None = None
        self._points: dict[int, EpochPoint] = {}
        self._keys: list[str] = []
        self._left: float | None = None
        self._at = 0.0

    @property
    def points(self) -> tuple[EpochPoint, ...]:  # noqa: D102 - described above
        return tuple(self._points[epoch] for epoch in sorted(self._points))

    @property
    def epoch(self) -> int:
        """Epochs finished, as far as was printed."""
        return max(self._points, default=0)

    def feed(self, line: str, *, at: float | None = None) -> None:
        """Read a line.

        Args:
            line: The line.
            at: When it was printed, seconds since 1970; None is now.
        """
        at = time.time() if at is None else at
        if line.startswith("{"):
            self._json(line, at)
        elif found := _BEGIN.fullmatch(line.rstrip()):
            self._begin(*found.groups())
        elif found := _STEP.fullmatch(line.rstrip()):
            self._step(at, *found.groups())
        elif line.split()[: len(COLUMNS)] == list(COLUMNS):
            self._keys = line.split()[len(COLUMNS) :]
        elif _EPOCH.match(line):
            self._text(line.split(), at)

    def eta(self, now: float | None = None) -> float | None:
        """Estimate the seconds until the last step; None where the lines do not say.

        Args:
            now: Seconds since 1970; None is the current time.
        """
        left = self._left
        if left is None and self.epochs and len(self._points) > 1:  # JSON does not say: by the newest epochs
            newest = self.points[-5:]
            pace = sum(point.seconds for point in newest) / len(newest)
            left = pace * (self.epochs - self.epoch)
        if left is None:
            return None
        return max(0.0, left - ((time.time() if now is None else now) - self._at))

    def _begin(self, epochs: str, steps: str, done: str | None) -> None:
        self.epochs, self.steps, self.step = _count(epochs), _count(steps), _count(done or "0")
        per_epoch = self.steps / max(1, self.epochs)
        done_epochs = round(self.step // per_epoch) if per_epoch else 0
        self._points = {epoch: point for epoch, point in self._points.items() if epoch <= done_epochs}
        self._left = None

    def _step(self, at: float, step: str, steps: str, rate: str | None, left: str | None) -> None:
        self.step, self.steps, self._at = _count(step), _count(steps), at
        self.rate = float(_count(rate)) if rate else self.rate
        self._left = parse_short_duration(left or "")

    def _text(self, cells: list[str], at: float) -> None:
        """Read the line of an epoch; one that is cut is left out."""
        if len(cells) < len(COLUMNS):
            return
        epoch, epochs = (int(part) for part in cells[0].split("/"))
        try:
            errors = [None if cell == MISSING else float(cell) for cell in cells[len(COLUMNS) :]]
            point = EpochPoint(
                epoch,
                float(cells[1]),
                float(cells[2]),
                float(cells[3].rstrip(BEST)),
                dict(zip(self._keys, errors, strict=False)),
                _duration(cells[5]),
                float(_count(cells[4])),
            )
        except ValueError:
            return
        self.epochs = epochs
        self._add(point, at, left=parse_short_duration(cells[6]))

    def _json(self, line: str, at: float) -> None:
        try:
            row = json.loads(line)
            point = _point(row)
        except (ValueError, KeyError, TypeError):
            return
        self.step = int(row["step"])
        self._add(point, at, left=None)

    def _add(self, point: EpochPoint, at: float, *, left: float | None) -> None:
        self._points[point.epoch] = point
        self._left, self._at, self.rate = left, at, point.rate
        if self.steps and self.epochs:
            self.step = self.steps * point.epoch // self.epochs


def _point(row: Mapping[str, Any]) -> EpochPoint:
    loss, val_loss, score = (float(row[key]) for key in ("train_loss", "val_loss", "val_score"))
    errors = {**row["val_mae"], **row.get("val_log_loss", {})}
    mae = {str(key): None if value is None else float(value) for key, value in errors.items()}
    units = {str(key): str(unit) for key, unit in row.get("own_units", {}).items()}
    return EpochPoint(
        int(row["epoch"]), loss, val_loss, score, mae, float(row["seconds"]), float(row["structures_per_second"]), units
    )


def _count(text: str) -> int:
    return int(text.replace(",", ""))


def _duration(text: str) -> float:
    found = _SECONDS.fullmatch(text)
    seconds = float(found[1]) if found else parse_short_duration(text)
    if seconds is None:
        raise ValueError(f"{text!r} is no duration")
    return seconds
