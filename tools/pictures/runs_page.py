"""The picture of the page of all runs: small runs of both networks, one resumed, one interrupted, one failed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from phase2.runs.page.build import INDEX, build_page
from phase2.runs.records.history import read_epochs_done
from phase2.storage.urls import open_store
from tools.programs.chromium import chromium_path, running_chromium

_SMALL = ("--max-samples", "400")
_REQUESTS = (
    *(
        ("--algorithm", "cgcnn", "--level", "smoke", "--epochs", "12", *_SMALL, "--seed", str(seed))
        for seed in (1, 2, 3)
    ),
    ("--algorithm", "cgcnn", "--level", "smoke", "--epochs", "12", *_SMALL, "--lr", "3e-3"),
    ("--algorithm", "cgcnn", "--level", "lite", "--epochs", "20", *_SMALL),
    ("--algorithm", "cgcnn", "--level", "std", "--epochs", "4", *_SMALL),
    ("--algorithm", "cgcnn", "--level", "pro", "--epochs", "2", *_SMALL),
    ("--algorithm", "cgcnn", "--competition", "--epochs", "3", *_SMALL),
    ("--algorithm", "cgcnn", "--level", "smoke", "--all-properties", "--epochs", "8", *_SMALL),
    ("--algorithm", "e3nn", "--level", "smoke", "--epochs", "2", "--max-samples", "200"),
    ("--algorithm", "e3nn", "--level", "lite"),
)
_LONG = ("--algorithm", "cgcnn", "--level", "lite", *_SMALL)
_RESUMED, _INTERRUPTED = (*_LONG, "--epochs", "150"), (*_LONG, "--epochs", "400")
_DIVERGING = ("--algorithm", "cgcnn", "--level", "smoke", "--epochs", "12", *_SMALL, "--lr", "100")


def draw(_run: Path, target: Path) -> None:
    """Train the runs, write their page, and photograph its table with two runs ticked."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for words in _REQUESTS:
            subprocess.run(_command(words, folder / "models"), check=True, stdout=subprocess.DEVNULL)
        run = _interrupt(_RESUMED, folder / "models")
        subprocess.run(_command(("--resume", run.name), folder / "models"), check=True, stdout=subprocess.DEVNULL)
        _interrupt(_INTERRUPTED, folder / "models")
        subprocess.run(_command(_DIVERGING, folder / "models"), check=False, stdout=subprocess.DEVNULL)
        build_page(open_store(folder / "models"), open_store(folder / "page"))
        _photograph(folder / "page" / INDEX, target)


def _command(words: Sequence[str], models: Path) -> list[str]:
    return [sys.executable, "-m", "phase2", "train", *words, "--output", str(models)]


def _interrupt(words: Sequence[str], models: Path) -> Path:
    """Train a run for a few epochs, end it as an eviction does, and return its directory."""
    before = set(models.rglob("history.json"))
    with subprocess.Popen(_command(words, models), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            begun = set(models.rglob("history.json")) - before
            if any(read_epochs_done(path) >= 5 for path in begun):
                process.terminate()
                return begun.pop().parent
            time.sleep(0.1)
    sys.exit(f"The run was to be interrupted, and ended before: {' '.join(words)}")


def _photograph(file: Path, target: Path) -> None:
    path = chromium_path()
    if path is None:
        sys.exit("A picture of a page takes Chromium: install it, or name one by $PHASE2_CHROMIUM.")
    with running_chromium(path) as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 720}, color_scheme="light")
        page.goto(file.as_uri())
        page.locator("body[data-ready]").wait_for()
        page.locator("#headings button", has_text="Score").click()
        for place in (0, 1):
            page.locator("#rows input").nth(place).check()
        # The store is a folder of this machine, which is nobody's affair.
        page.evaluate("for (const one of document.querySelectorAll('.store')) one.textContent = 's3://materials/runs'")
        page.mouse.move(0, 0)
        page.screenshot(path=target)
