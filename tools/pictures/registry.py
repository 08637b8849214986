"""The pictures there are."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.pictures import runs_page
from tools.pictures.picture import Picture
from tools.pictures.report import draw_report
from tools.pictures.watch import draw_watch

_REPORT = "src/phase2/runs/report"
_REPORT_PAGE = (f"{_REPORT}/html", "src/phase2/web", "tools/pictures/report.py")
_PAGE = "src/phase2/runs/page"


def _copied(name: str, run: Path, target: Path) -> None:
    shutil.copyfile(run / name, target)


PICTURES: tuple[Picture, ...] = (
    Picture(
        name="parity.png",
        shows="Predicted against reference values of the test crystals of the sample, one panel per property.",
        sources=(f"{_REPORT}/parity.py", f"{_REPORT}/style.py"),
        draw=lambda run, target: _copied("parity.png", run, target),
    ),
    Picture(
        name="watch.svg",
        shows="The screen of `phase2 watch` as it was when the run had trained half of its epochs.",
        sources=(
            "src/phase2/cli/watch/detail.py",
            "src/phase2/cli/watch/screen.py",
            "src/phase2/cli/watch/sparkline.py",
            "tools/pictures/watch.py",
        ),
        draw=draw_watch,
    ),
    Picture(
        name="runs-page.png",
        shows="The page of all runs: small runs of the sample, sorted by their score, two of them ticked, with one "
        "that was resumed, one interrupted and one failed.",
        sources=(f"{_PAGE}/templates", "tools/pictures/runs_page.py"),
        draw=runs_page.draw,
    ),
    Picture(
        name="report-light.png",
        shows="The beginning of a report: verdict, hand-off, errors beside the baselines, parity plots.",
        sources=_REPORT_PAGE,
        draw=lambda run, target: draw_report(run, target, "light"),
    ),
    Picture(
        name="report-dark.png",
        shows="The same in dark.",
        sources=_REPORT_PAGE,
        draw=lambda run, target: draw_report(run, target, "dark"),
    ),
)
