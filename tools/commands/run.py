"""Run the commands and programs of pages in order, as a reader would: ``python -m tools.commands.run [PAGE ...]``.

Without a page, all of them that have something to run. ``RUN`` in a command is the newest run. Each page has a folder
of its own, from which the repository's ``docs``, ``scripts`` and ``src`` are seen: nothing is written beside them. The
first command that fails ends the page. What a command prints is not compared. Several pages run at once (``--jobs``);
what one prints stays together.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from tools.commands.blocks import blocks
from tools.generated import ROOT
from tools.prose import pages


def main() -> int:
    """Run the pages and print one line for each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="pages at once")
    given = parser.parse_args()
    chosen = given.pages or [page for page in pages() if list(_steps(page.read_text(encoding="utf-8")))]
    with ThreadPoolExecutor(given.jobs) as pool:
        ran = list(pool.map(_run_and_print, chosen))
    for page, passed in zip(chosen, ran, strict=True):
        if not passed:
            print(f"{page}: a command failed")
    print(f"{sum(ran)} pages ran, {len(ran) - sum(ran)} failed")
    return int(not all(ran))


def _run_and_print(page: Path) -> bool:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        passed = run_page(page, output)
        output.seek(0)
        sys.stdout.write(output.read())
        sys.stdout.flush()
    return passed


def run_page(page: Path, output: IO[str]) -> bool:
    """Run a page in a temporary folder and tell whether every command ended with 0.

    Args:
        page: The page.
        output: A file for what the commands print, and one line for each of them.
    """
    steps = list(_steps(page.read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("docs", "scripts", "src"):
            (Path(folder) / name).symlink_to(ROOT / name)
        for number, (shown, words) in enumerate(steps, 1):
            print(f"{page} [{number}/{len(steps)}] {shown}", file=output, flush=True)
            start = time.monotonic()
            done = subprocess.run(
                words,
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            print(f"    exit {done.returncode} after {time.monotonic() - start:.1f} s", file=output, flush=True)
            if done.returncode:
                return False
    return True


def _steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each command or program, as it is shown and as it is run."""
    for block in blocks(page):
        if not block.is_run:
            continue
        for command in block.before:
            yield f"({command})", _in_shell(command)
        if block.language == "python":
            yield block.text.splitlines()[0] + " ...", [sys.executable, "-c", block.text]
        for command in block.commands:
            yield f"$ {command}", _in_shell(command)


def _in_shell(command: str) -> list[str]:
    return ["bash", "-euo", "pipefail", "-c", re.sub(r"\bRUN\b", "latest", command)]


def _environment() -> dict[str, str]:
    binaries = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}


if __name__ == "__main__":
    sys.exit(main())
