"""Only the boundaries write to the console, as CSV and as HTML."""

import re
from pathlib import Path

import pytest

import phase2

SOURCE = Path(phase2.__file__).parent

ONLY = {
    r"(?<![\w.>`])print\(": {"cli/console.py"},
    r"typer\.(secho|echo)|click\.echo": set(),
    r"csv\.(writer|DictWriter)": {"output/csv_text.py"},
    r"html\.escape": {"output/html_text.py"},
    r"sys\.(stdout|stderr)\.write\(": set(),
    r"traceback\.print_exc": set(),
    r"unicodedata\.category": {"output/visible.py"},
}
"""Patterns, and the modules that alone may have them."""


@pytest.mark.parametrize("pattern", ONLY)
def test_one_module_for_each_boundary(pattern):
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if any(re.search(pattern, line) and ">>>" not in line for line in path.read_text().splitlines())
    }
    assert {path for path in found if not path.startswith("testing/")} == ONLY[pattern]
