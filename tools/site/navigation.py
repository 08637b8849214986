"""The navigation of the site is the index of the documentation, ``docs/README.md``.

Its second-level headings are the tabs, third-level headings the groups in a tab, and every list item that begins with a
link is a page. A folder whose index is linked (``decisions/README.md``) is a group of all its pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

INDEX = "README.md"
"""The index, below the folder of the documentation: the home page of the site."""

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
            here.append(_page(title, outside.get(link, link), folder))
    return top


def _joined(index: str) -> str:
    """Titles of links may be wrapped over two lines."""
    return re.sub(r"\[[^\]]+\]", lambda found: re.sub(r"\s+", " ", found[0]), index)


def _page(title: str, page: str, folder: Path) -> Entry:
    path = PurePosixPath(page)
    if path.name != INDEX or path.parent.name != "decisions":
        return {title: page}
    pages = sorted(found.name for found in (folder / path.parent).glob("[0-9]*.md"))
    return {title: [page, *(str(path.parent / name) for name in pages)]}
