"""The beginning of a report as a picture, in light and dark."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image

from phase2.runs.layout import RunDirectory
from phase2.runs.report.html.files import files_of_folder
from phase2.runs.report.html.inputs import read_run
from phase2.runs.report.html.page import report
from tools.programs.chromium import chromium_path, running_chromium

WIDTH, HEIGHT = 1480, 1640
COLORS = 128


def draw_report(run: Path, target: Path, scheme: Literal["light", "dark"]) -> None:
    """Draw the beginning of the report of a run, as a PNG of few colours."""
    path = chromium_path()
    if path is None:
        sys.exit("A picture of a report takes Chromium: install it, or name one by $PHASE2_CHROMIUM.")
    files, directory = files_of_folder(run), RunDirectory(run)
    files.where = f"models/{directory.family}/{directory.name}"  # as in the tutorials, wherever it was trained
    with tempfile.TemporaryDirectory() as folder, running_chromium(path) as browser:
        page_file, shot = Path(folder) / "report.html", Path(folder) / "shot.png"
        page_file.write_text(_of_the_default_folder(report([read_run(files)]), run), encoding="utf-8")
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
        page.goto(page_file.as_uri())
        page.locator("#parity-plots .plot .main-svg").last.wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=shot)
        with Image.open(shot) as image:
            image.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(target, optimize=True)


def _of_the_default_folder(html: str, run: Path) -> str:
    """Leave out of the command of a run where on this machine it was trained."""
    return html.replace(f" --output {run.parents[1]}", "")
