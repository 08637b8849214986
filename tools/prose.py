"""Prose pages wrap at 100 characters: ``python -m tools.prose [--check] [PAGE ...]``.

Paragraphs and list items with a longer line are wrapped anew; with ``--check`` nothing is written and each longer line
is named. Code blocks, tables, headings, quotes, HTML, link definitions and generated pages stay as they are. An address
or a piece of code in a line is not broken, however long it is.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.generated import ROOT

WIDTH = 100
GENERATED = ("docs/reference/", "docs/decisions/README.md", "charts/phase2-runner/README.md", "tests/")
"""Beginnings of the paths of pages that are written by other tools."""

_FENCE = re.compile(r"\s*(```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_START = re.compile(r"\s*(?:(?:[-*+]|\d+[.)])\s+)?")
_FIXED = re.compile(r"\s*(?:$|\||#|>|<|!\[|\[[^\]]+\]:|---)")
_WORD = re.compile(r"(?:`[^`]*`|\S)+")  # code in a line is not broken
_MARKER = re.compile(r"(?:[-*+>|]|#+|\d+[.)])")  # would begin another kind of block at the start of a line
_HARD_BREAKS = ("  ", "\\")


def main() -> int:
    """Wrap the pages, or name the lines that are too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a line is too long.")
    parser.add_argument("pages", nargs="*", type=Path, help="Pages; by default all of the repository.")
    options = parser.parse_args()
    found = 0
    for page in options.pages or pages():
        text = page.read_text(encoding="utf-8")
        wrapped = wrap(text)
        if wrapped == text:
            continue
        found += 1
        for number in long_lines(text) if options.check else ():
            print(f"{page}:{number}: longer than {WIDTH} characters; run 'make format'", file=sys.stderr)
        if not options.check:
            page.write_text(wrapped, encoding="utf-8")
            print(page)
    return int(options.check and found > 0)


def pages() -> list[Path]:
    """The pages of the repository that people write, by path."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.splitlines() if not name.startswith(GENERATED)]


def wrap(text: str) -> str:
    """Wrap each paragraph and list item that has too long a line.

    >>> print(wrap("- " + "word " * 24 + "end"))
    - word word word word word word word word word word word word word word word word word word word
      word word word word word end
    """
    return "\n".join(line for block in _blocks(text.split("\n")) for line in _wrapped(block))


def long_lines(text: str) -> list[int]:
    """Numbers, from 1, of the lines that wrapping would shorten."""
    number, found = 0, []
    for block in _blocks(text.split("\n")):
        if _wrapped(block) != block.lines:
            found += [number + k for k, line in enumerate(block.lines, 1) if len(line) > WIDTH]
        number += len(block.lines)
    return found


@dataclass
class _Block:
    """A paragraph or list item with all of its lines, or a line that stays as it is."""

    lines: list[str]
    is_prose: bool


def _blocks(lines: Iterable[str]) -> Iterator[_Block]:
    prose: list[str] = []
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        fixed = bool(fence or mark or _FIXED.match(line))
        if mark and fence in {"", mark[1]}:
            fence = "" if fence else mark[1]
        if prose and (fixed or _ITEM.match(line) or prose[-1].endswith(_HARD_BREAKS)):
            yield _Block(prose, is_prose=True)
            prose = []
        if fixed:
            yield _Block([line], is_prose=False)
        else:
            prose.append(line)
    if prose:
        yield _Block(prose, is_prose=True)


def _wrapped(block: _Block) -> list[str]:
    if not block.is_prose or all(len(line) <= WIDTH for line in block.lines):
        return block.lines
    start = _START.match(block.lines[0])[0]  # type: ignore[index] # matches every line
    text = " ".join([block.lines[0][len(start) :], *block.lines[1:]])
    indent = " " * len(start)
    lines, line = [], start
    for word in _WORD.findall(text):
        glue = "" if line in {start, indent} else " "
        if glue and len(line) + 1 + len(word) > WIDTH and not _MARKER.fullmatch(word):
            lines.append(line)
            line, glue = indent, ""
        line += glue + word
    return [*lines, line + next((mark for mark in _HARD_BREAKS if mark.isspace() and text.endswith(mark)), "")]


if __name__ == "__main__":
    sys.exit(main())
