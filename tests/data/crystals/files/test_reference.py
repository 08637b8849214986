"""The page of formats lists those that are read, and the columns that are known."""

from pathlib import Path

import pytest

from phase2.data.crystals.formats.records import PLACES
from phase2.data.crystals.readers import FORMATS, is_structure_name
from phase2.data.sources.known_columns import KNOWN_COLUMNS
from phase2.properties import KEYS

PAGE = (Path(__file__).parents[4] / "docs/reference/formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.names)
def test_every_format_has_its_line(one):
    assert f"| {one.title} | `{one.names}` | {'many' if one.many else 'one'} |" in PAGE
    for name in one.names.split(", "):
        assert is_structure_name(name.replace("*", "x", 1).replace("*", ""))


def test_every_known_column_has_its_line():
    for known in KNOWN_COLUMNS:
        assert known.key in KEYS
        assert known.column.startswith("_jarvis_") or f"| {known.key} | `{known.column}`" in PAGE


def test_every_place_is_named():
    assert all(f"`{place}`" in PAGE for place in PLACES)
