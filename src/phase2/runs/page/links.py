"""Where a page finds the reports of its runs."""

from __future__ import annotations

import os
from urllib.parse import quote

from phase2.errors import RequestError
from phase2.runs.keys import folder_of
from phase2.storage.base import Store

PAGE = "page"
"""Folder of the page in the store of its runs, where it is published."""


def report_base(store: Store, page: Store) -> str | None:
    """Return the address of a store as seen from a page, with a slash at its end; None where a browser cannot reach it.

    A page in a folder reaches a store in a folder, and a page in a bucket a store that it lies in.
    """
    runs, here = folder_of(store), folder_of(page)
    if runs is not None and here is not None:
        return quote(os.path.relpath(runs.resolve(), here.resolve())) + "/"
    inside = page.url.removeprefix(f"{store.url.rstrip('/')}/")
    return None if inside == page.url else "../" * (inside.count("/") + 1)


def check_base(address: str) -> str:
    """Return the address of reports that a person gave, with a slash at its end.

    Raises:
        RequestError: It is no address of the web.
    """
    if not address.startswith(("https://", "http://")) or any(c.isspace() or c in "\"'<>?#" for c in address):
        raise RequestError(
            f"'{address}' is not the address of reports.",
            why="It begins with https:// or http://, and has no query.",
            fix="Give the address that shows the runs' families: https://runs.example.com/phase2.",
        )
    return address.rstrip("/") + "/"
