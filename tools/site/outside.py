"""Pages of the site that lie outside of docs, or are notebooks, and the links to them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

PAGES = {
    "ARCHITECTURE.md": "explanation/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "bench/README.md": "benchmarks/speed.md",
    "charts/phase2-runner/README.md": "reference/chart.md",
    "docs/tutorials/first-model.ipynb": "tutorials/first-model.md",
    "docs/tutorials/screening.ipynb": "tutorials/screening.md",
}
"""Where each file of the repository is in the site."""

_LINK = re.compile(r"(\]\(|^\[[^\]]+\]:\s+)([^)\s]+)", re.MULTILINE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")  # of a host, of a mailbox, or an embedded picture
_CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]*`)", re.MULTILINE | re.DOTALL)


def links_in_site(text: str, source: str, pages: Mapping[str, str] = PAGES) -> str:
    """Return a page with its relative links as they are in the site; links to addresses and in code stay.

    Args:
        text: Markdown of the page.
        source: Path of the page in the repository.
        pages: Place in the site of files that are not below docs, by their path in the repository.

    >>> links_in_site("[chart](../../charts/phase2-runner/README.md#values)", "docs/how-to/helm.md")
    '[chart](../reference/chart.md#values)'
    """
    parts = _CODE.split(text)
    parts[::2] = [_LINK.sub(lambda found: found[1] + _moved(found[2], source, pages), part) for part in parts[::2]]
    return "".join(parts)


def _moved(link: str, source: str, pages: Mapping[str, str]) -> str:
    path, mark, fragment = link.partition("#")
    if not path or _ADDRESS.match(link):
        return link
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    here = posixpath.dirname(in_site(source, pages))
    return posixpath.relpath(in_site(target, pages), here or ".") + mark + fragment


def in_site(path: str, pages: Mapping[str, str] = PAGES) -> str:
    """Return where a file of the repository is in the site."""
    return pages.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}")
