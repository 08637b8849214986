"""The page of many runs: time to build it, cold and warm, and what a reader waits for in a real Chromium.

The runs differ and have the records of real ones (:mod:`phase2.testing.many_runs`). Times in the browser are the best
of three pages opened from the disk, each in a context of its own: until the table is drawn, and until the next frame
after a sort, a search, a filter and a turn of the page.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phase2.runs.page.build import build_page
from phase2.storage.urls import open_store
from phase2.testing.many_runs import write_runs
from tools.programs.chromium import chromium_path, running_chromium

_ACTIONS = {
    "sort by an error": "page.table.getColumn('mae:band_gap').toggleSorting(false)",
    "search": "page.search('cgcnn seed=3 band_gap<0.4')",
    "search undone": "page.search('')",
    "filter": "page.setFacet('level', ['std'])",
    "next page": "page.table.nextPage()",
    "250 rows": "page.table.setPageSize(250)",
    "best": "page.showView('best')",
}
_MEASURE = """async (action) => {
  const begin = performance.now();
  (0, eval)(action);
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  return performance.now() - begin;
}"""


def main() -> None:
    """Print seconds, milliseconds and sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--epochs", type=int, default=40)
    chosen = parser.parse_args()
    chromium = chromium_path()
    if chromium is None:
        sys.exit("This takes Chromium: install it, or name one by $PHASE2_CHROMIUM.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_runs(folder / "models", chosen.runs, epochs=chosen.epochs)
        store, page = open_store(folder / "models"), open_store(folder / "page")
        print(f"{chosen.runs} runs of {chosen.epochs} epochs")
        print(f"{'built from nothing':<24} {_seconds(lambda: build_page(store, page)):>8.2f} s")
        print(f"{'built again, unchanged':<24} {_seconds(lambda: build_page(store, page)):>8.2f} s")
        for pattern in ("index.html", "data/*.js", "curves/*.js", "state.json"):
            size = sum(path.stat().st_size for path in (folder / "page").glob(pattern))
            print(f"{pattern:<24} {size / 1e6:>8.2f} MB")
        for what, milliseconds in _in_browser(chromium, folder / "page" / "index.html").items():
            print(f"{what:<24} {milliseconds:>8.0f} ms")


def _in_browser(path: str, file: Path) -> dict[str, float]:
    with running_chromium(path) as browser:
        found = [_open(browser, file) for _ in range(3)]
    return {what: min(one[what] for one in found) for what in found[0]}


def _open(browser: Any, file: Path) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, bypass_csp=True)
    page = context.new_page()
    begin = time.perf_counter()
    page.goto(file.as_uri(), wait_until="commit")
    page.locator("body[data-ready]").wait_for()
    found = {"table drawn": 1000 * (time.perf_counter() - begin)}
    found |= {what: page.evaluate(_MEASURE, action) for what, action in _ACTIONS.items()}
    context.close()
    return found


def _seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
