"""Links inside the pages lead somewhere, and the indexes of the documentation have every page."""

import re
from pathlib import Path

import pytest

from tools.prose import pages

ROOT = Path(__file__).parents[2]
PAGES = pages()
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)


def links(page):
    """The links of a page to files of the repository: path and fragment."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = [inline or reference for inline, reference in LINK.findall(text)]
    return [link.partition("#")[::2] for link in found if "://" not in link]


def anchors(page):
    """The fragments that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page):
    for path, fragment in links(page):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not fragment or fragment in anchors(target), f"{path}#{fragment}"


def test_the_indexes_have_every_page():
    indexes = [ROOT / "docs" / "README.md", ROOT / "docs" / "decisions" / "README.md"]
    listed = {(index.parent / path).resolve() for index in indexes for path, _ in links(index)}
    written = set((ROOT / "docs").rglob("*.md")) - {indexes[0]}
    assert written - listed == set()
