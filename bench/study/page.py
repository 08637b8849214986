"""Tables between two comments of a page of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from phase2.errors import RequestError
from phase2.storage.disk.atomic import write_text
from tools.prose import wrap


def write_between_markers(page: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- tables: NAME -->`` and ``<!-- end -->`` of a page, with its prose wrapped.

    Raises:
        RequestError: The page cannot be read, or does not have the two comments once.
    """
    start, end = f"<!-- tables: {name} -->", "<!-- end -->"
    try:
        content = page.read_text(encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{page} cannot be read.", why=f"{error.strerror}.", fix="Check the path.") from error
    pattern = re.compile(f"({re.escape(start)}\n).*?(\n{re.escape(end)})", re.DOTALL)
    changed, count = pattern.subn(lambda found: f"{found[1]}\n{wrap(text)}\n{found[2]}", content)
    if count != 1:
        raise RequestError(f"{page} has no single place for the tables.", fix=f"Give it the lines {start} and {end}.")
    write_text(page, changed)
