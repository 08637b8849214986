"""One watched run in full: progress, time left, errors by property with their course, GPU, attempts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from phase2.cli.watch.sparkline import sparkline
from phase2.output.durations import short_duration
from phase2.output.visible import line
from phase2.properties import error_unit

if TYPE_CHECKING:
    from rich.text import Text

    from phase2.runs.live.view import RunView
    from phase2.runs.records.attempts import Attempt

STYLES = {
    "running": "bold green",
    "finishing": "bold green",
    "finished": "bold cyan",
    "succeeded": "bold cyan",
    "failed": "bold red",
    "killed": "bold red",
    "silent": "bold yellow",
    "blocked": "bold yellow",
    "retrying": "bold yellow",
    "interrupted": "bold yellow",
}
_LABEL, _NUMBER, _AT_BEST, _CURVE = 10, 9, 12, 16
_GIB = 1 << 30
_LONG = 3600.0


def detail(view: RunView, width: int, *, now: datetime | None = None, most: int | None = None) -> list[Text]:
    """Return the lines of a run.

    Args:
        view: The run.
        width: Characters of a line.
        now: The current time; None reads the clock.
        most: Lines at most; the least important are left out.
    """
    now = now or datetime.now(UTC)
    head, errors, tail = list(_head(view, width, now)), list(_errors(view, width)), list(_tail(view, width, now))
    if most is not None:
        room = most - len(head)
        tail = tail[-max(0, room - len(errors)) :] if room > len(errors) else []
        errors = errors[: max(0, room - len(tail))]
    lines = [*head, *errors, *tail]
    return lines[:most]


def bar(share: float | None, width: int) -> Text:
    """Return a bar of a share, 0 to 1; an empty one where it is not known."""
    from rich.text import Text

    filled = round(width * (share or 0.0))
    return Text.assemble(("━" * filled, "green"), ("─" * (width - filled), "bright_black"))


def title(view: RunView) -> Text:
    """Return name and state of a run."""
    from rich.text import Text

    text = Text.assemble((view.run_id, "bold"), f"  {view.algorithm} {view.mode}  ", (view.state, style(view)))
    if view.attempt > 1:
        text.append(f"  attempt {view.attempt}", "yellow")
    return text


def style(view: RunView) -> str:
    """Return the style of the state of a run."""
    return STYLES.get(view.state, "bold")


def _head(view: RunView, width: int, now: datetime) -> Iterator[Text]:
    from rich.text import Text

    yield title(view)
    if view.message:
        yield _cut(Text(line(view.message), "italic"), width)
    of = f"/{view.epochs}" if view.epochs else ""
    left_text = f"epoch {view.epoch}{of} "
    share = "" if view.done is None else f" {view.done:4.0%}"
    steps = f"  step {view.step:,}/{view.steps:,}" if view.steps else ""
    room = max(8, min(60, width - len(left_text) - len(share) - len(steps)))
    yield _cut(Text.assemble(left_text, bar(view.done, room), share, (steps, "bright_black")), width)
    yield _cut(Text(" · ".join(_facts(view, now))), width)


def _facts(view: RunView, now: datetime) -> Iterator[str]:
    if view.rate is not None:
        yield f"{view.rate:,.0f} crystals/s"
    left = view.left(now)
    if left is not None:
        end = (now + timedelta(seconds=left)).astimezone()
        yield f"{short_duration(left)} left" + (f", until {end:%a %H:%M}" if left > _LONG else "")
    if view.started is not None:
        until = view.updated if view.has_ended and view.updated else now
        yield f"{'took' if view.has_ended else 'since'} {short_duration((until - view.started).total_seconds())}"
    if view.where:
        yield line(view.where) + (f" ({view.device})" if view.device else "")
    age = view.age(now)
    if age is not None and age > 10 and not view.has_ended:
        yield f"seen {short_duration(age)} ago"


def _errors(view: RunView, width: int) -> Iterator[Text]:
    from rich.text import Text

    points, best = view.points, view.best
    if not points or best is None:
        return
    units = points[-1].own_units
    names = {key: f"{key} [{unit}]" if (unit := error_unit(key, units)) else key for key in points[-1].mae}
    label = max(_LABEL, *(len(name) for name in names.values()), 0) if names else _LABEL
    label = min(label, max(_LABEL, width - _NUMBER - _AT_BEST - 4))
    curve = max(0, min(60, width - label - _NUMBER - _AT_BEST - 3))
    curve = curve if curve >= _CURVE // 2 else 0
    yield Text(f"{'':<{label}}{'last':>{_NUMBER}}{'best epoch':>{_AT_BEST}}", "bright_black")

    def row(name: str, last: float | None, then: float | None, values: list[float | None]) -> Text:
        cells = f"{_number(last):>{_NUMBER}}{_number(then):>{_AT_BEST}}"
        return Text.assemble(f"{name[:label]:<{label}}", cells, "  ", (sparkline(logarithms(values), curve), "cyan"))

    newest = points[-1]
    yield row("train loss", newest.train_loss, best.train_loss, [p.train_loss for p in points])
    yield row("val loss", newest.val_loss, best.val_loss, [p.val_loss for p in points])
    yield row("score", newest.score, best.score, [p.score for p in points])
    for key, name in names.items():
        values = [point.mae.get(key) for point in points]
        yield row(name, newest.mae.get(key), best.mae.get(key), values)


def logarithms(values: Sequence[float | None]) -> list[float | None]:
    """Return the values on a scale on which the late epochs of an error can be told apart."""
    if any(value is not None and value <= 0 for value in values):
        return list(values)
    return [None if value is None else math.log(value) for value in values]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _tail(view: RunView, width: int, now: datetime) -> Iterator[Text]:
    from rich.text import Text

    if view.best is not None:
        yield _cut(
            Text(f"best epoch {view.best.epoch}, score {view.best.score:.3f} (1 is the baseline)", "bold"), width
        )
    if view.gpu is not None:
        busy = "" if view.gpu.utilization is None else f" {view.gpu.utilization:.0%} busy,"
        used = "-" if view.gpu.used_bytes is None else f"{view.gpu.used_bytes / _GIB:.1f}"
        yield Text.assemble(
            f"GPU{busy} {used} of {view.gpu.total_bytes / _GIB:.1f} GiB ", bar(view.gpu.utilization, 12)
        )
    for number, attempt in enumerate(view.attempts, start=1):
        if len(view.attempts) > 1:
            yield _cut(Text(_attempt(number, attempt, now), "bright_black"), width)


def _attempt(number: int, attempt: Attempt, now: datetime) -> str:
    took = short_duration(((attempt.end or now) - attempt.start).total_seconds())
    time = "" if attempt.outcome == "killed" and attempt.end is None else f" after {took}"
    time = f" for {took}" if attempt.outcome == "running" else time
    begun = f", from {attempt.resumed_from}" if attempt.resumed_from else ""
    why = f": {line(attempt.reason)}" if attempt.reason else ""
    return f"attempt {number} {attempt.outcome}{time} on {line(attempt.host)}{begun}{why}"


def _cut(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    return text
