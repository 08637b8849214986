"""The navigation of the site is the index of the documentation, ``docs/README.md``.

Its second-level headings are the tabs, third-level headings the groups in a tab, and every list item that begins with a
link is a page. The index of the decisions stands for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

INDEX = "README.md"
"""The index, below the folder of the documentation: the home page of the site."""

DECISIONS = "decisions/README.md"

_ENTRY = re.compile(r"(#{2,3}) (.+)|\s*- \[([^\]]+)\]\(([^)\s#]+)\)")

Entry = dict[str, Any]


def navigation(index: str, folder: Path, outside: Mapping[str, str]) -> list[Entry | str]:
    """Return the navigation of MkDocs for an index.

    Args:
        index: Text of the index.
        folder: Folder of the documentation.
        outside: Pages of the site by the path from the folder, for links that leave it.
    """
    top: list[Entry | str] = [{"Home": INDEX}]
    here: list[Entry | str] = top
    tab: list[Entry | str] = top
    for level, heading, title, link in _ENTRY.findall(_joined(index)):
        if heading:
            here = []
            (top if level == "##" else tab).append({heading: here})
            tab = here if level == "##" else tab
        elif "://" not in link:
            page = outside.get(link, link)
            here += _decisions(page, folder) if page == DECISIONS else [{title: page}]
    return top


def _joined(index: str) -> str:
    """Titles of links may be wrapped over two lines."""
    return re.sub(r"\[[^\]]+\]", lambda found: re.sub(r"\s+", " ", found[0]), index)


def _decisions(index: str, folder: Path) -> list[Entry | str]:
    names = sorted(found.name for found in (folder / index).parent.glob("[0-9]*.md"))
    return [index, *(str(PurePosixPath(index).with_name(name)) for name in names)]
