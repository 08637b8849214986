"""The screen of ``phase2 watch`` as a picture, of a run in the middle of its training."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from phase2.cli.watch.screen import screen
from phase2.runs.layout import RunDirectory
from phase2.runs.live.points import EpochPoint
from phase2.runs.live.view import RunView
from phase2.runs.records.history import read_history
from phase2.runs.records.manifest import read_manifest

_WIDTH, _HEIGHT = 92, 15


def draw_watch(run: Path, target: Path) -> None:
    """Draw what the screen showed at the end of the middle epoch, by the run's history, as SVG that loads nothing."""
    directory = RunDirectory(run)
    manifest, history = read_manifest(directory.manifest), read_history(directory.history)
    half = history[: (len(history) + 1) // 2]
    attempt = manifest.attempts[0]
    now = attempt.start + timedelta(seconds=sum(row.seconds for row in half))
    pace = sum(row.seconds for row in half) / len(half)
    view = RunView(
        run_id=manifest.run_id,
        algorithm=manifest.algorithm,
        mode=manifest.mode,
        state="running",
        where="workstation",
        device="cpu" if manifest.hardware.gpu is None else "cuda:0",
        attempt=1,
        attempts=(attempt,),
        started=attempt.start,
        updated=now,
        step=half[-1].step,
        steps=history[-1].step,
        epochs=len(history),
        rate=half[-1].structures_per_second,
        eta_seconds=pace * (len(history) - len(half)),
        points=tuple(map(EpochPoint.of, half)),
    )
    console = Console(record=True, width=_WIDTH, height=_HEIGHT, file=io.StringIO(), force_terminal=True)
    console.print(screen([view], _WIDTH, _HEIGHT, title="models", now=now))
    svg = console.export_svg(title="phase2 watch", unique_id="watch")
    target.write_text(re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", svg, flags=re.DOTALL), encoding="utf-8")
