"""The screen of watched runs: a row for each, and the chosen one in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from phase2.cli.watch.detail import bar, detail, logarithms, style
from phase2.cli.watch.keys import pressed_keys
from phase2.cli.watch.looker import Looker
from phase2.cli.watch.sparkline import sparkline
from phase2.output.durations import short_duration
from phase2.output.visible import line

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

    from phase2.runs.live.view import RunView

_REFRESH = 0.5
_FEW_ROWS = 6
"""Rows for which a small terminal has room, and for no heading."""
_LEAVING = ("q", "Q", "\x03", "\x04")


def show_screen(looker: Looker, console: Console, title: str) -> None:
    """Show runs on the whole terminal until ``q``; the runs do not notice."""
    from rich.live import Live

    chosen = 0
    with pressed_keys() as keyboard, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            looker.check()
            views = looker.views
            chosen = max(0, min(chosen, len(views or ()) - 1))
            size = console.size
            live.update(
                screen(views, size.width, size.height, title=title, chosen=chosen, trouble=looker.trouble), refresh=True
            )
            key = keyboard.wait(_REFRESH)
            if key in _LEAVING:
                return
            chosen += {"up": -1, "down": 1}.get(key or "", 0)


def screen(
    views: Sequence[RunView] | None,
    width: int,
    height: int,
    *,
    title: str,
    chosen: int = 0,
    trouble: str = "",
    now: datetime | None = None,
) -> Group:
    """Return what the terminal shows. Pure, but for the clock.

    Args:
        views: The runs; None before the first look.
        width: Columns of the terminal.
        height: Its lines.
        title: Where the runs are.
        chosen: Number of the run that is shown in full.
        trouble: Why the last look failed; "" if it did not.
        now: The current time; None reads the clock.
    """
    from rich.console import Group
    from rich.text import Text

    clock = f"{(now or datetime.now()).astimezone():%H:%M:%S}"
    name = line(title)[: max(10, width - len(clock) - 16)]
    top = Text(f" phase2 watch  {name}", "reverse")
    top.append(" " * max(1, width - top.cell_len - len(clock) - 1) + clock + " ")
    body: list[Text] = []
    if not views:
        body.append(Text("looking ..." if views is None else "no run is in progress; one that starts appears here"))
    else:
        rows = _rows(views, width, chosen, max(1, (height - 4) // 2), now) if len(views) > 1 else []
        body += [*rows, Text("─" * width, "bright_black")] if rows else []
        body += detail(views[chosen], width, now=now, most=max(1, height - 2 - len(body)))
    body = body[: height - 2]
    body += [Text("")] * (height - 2 - len(body))
    for each in (top, *body):
        each.truncate(width)
        each.no_wrap = True
    return Group(top, *body, _bottom(views or (), width, trouble))


def _rows(views: Sequence[RunView], width: int, chosen: int, most: int, now: datetime | None) -> list[Text]:
    """Return a line for each run; of more than fit, those around the chosen one."""
    from rich.text import Text

    first = max(0, min(chosen - most // 2, len(views) - most))
    shown = list(enumerate(views))[first : first + most]
    names = max(len(view.run_id) for view in views)
    kinds = max(len(view.algorithm) + len(view.mode) + 1 for view in views)
    states = max(len(view.state) for view in views)
    names = min(names, max(8, width - kinds - states - 30))
    rows = [_row(view, width, (names, kinds, states), is_chosen=at == chosen, now=now) for at, view in shown]
    titles = f"  {'run':<{names}} {'':<{kinds}} {'state':<{states}} {'progress':<15} {'left':>6} {'score':>6}"
    return [Text(titles, "bright_black"), *rows] if most > _FEW_ROWS else rows


def _row(view: RunView, width: int, sizes: tuple[int, int, int], *, is_chosen: bool, now: datetime | None) -> Text:
    from rich.text import Text

    names, kinds, states = sizes
    left = view.left(now)
    share = "   -" if view.done is None else f"{view.done:4.0%}"
    score = f"{view.points[-1].score:6.3f}" if view.points else f"{'-':>6}"
    text = Text.assemble(("▸ " if is_chosen else "  ", "bold"))
    text.append(f"{view.run_id[:names]:<{names}} ", "bold" if is_chosen else "")
    text.append(f"{view.algorithm + ' ' + view.mode:<{kinds}} ")
    text.append(f"{view.state:<{states}} ", style(view))
    text.append_text(bar(view.done, 10))
    text.append(f" {share} {'' if left is None else short_duration(left):>6} {score} ")
    scores = logarithms([point.score for point in view.points])
    text.append(sparkline(scores, min(40, width - text.cell_len)), "cyan")
    return text


def _bottom(views: Sequence[RunView], width: int, trouble: str) -> Text:
    from rich.text import Text

    if trouble:
        text = Text(f" no answer: {line(trouble)}; trying again", "bold yellow")
    else:
        ended = bool(views) and all(view.has_ended for view in views)
        says = "every run has ended; q leaves" if ended else "q leaves; the runs continue"
        text = Text(f" {says}{'   ↑ ↓ choose a run' if len(views) > 1 else ''}", "bright_black")
    text.truncate(width, overflow="ellipsis")
    text.no_wrap = True
    text.end = ""
    return text
