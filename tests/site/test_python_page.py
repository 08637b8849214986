"""The page of the Python interface has all of it."""

from pathlib import Path

import phase2

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "python.md"


def test_every_name_of_the_interface_is_on_its_page():
    text = PAGE.read_text(encoding="utf-8")
    names = set(phase2.__all__) - {"__version__"}
    assert {name for name in names if name not in text} == set()
