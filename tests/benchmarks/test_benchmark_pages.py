"""The pages of the benchmarks: commands that are understood, and tables of the studies as they are declared."""

import re
import shlex
from pathlib import Path

import pytest
from bench.protocols.__main__ import _parser as protocols_parser
from bench.study.__main__ import _parser as study_parser
from bench.study.declared import STUDIES
from bench.study.tables import legend

PAGES = sorted((Path(__file__).parents[2] / "docs" / "benchmarks").glob("*.md"))
PARSERS = {"bench.study": study_parser(), "bench.protocols": protocols_parser()}
COMMANDS = [
    (page.name, line.removeprefix("$ "))
    for page in PAGES
    for line in page.read_text(encoding="utf-8").splitlines()
    if line.startswith("$ python -m bench.")
]


def test_there_are_commands():
    assert {page for page, _ in COMMANDS} >= {"sharing.md", "network.md", "matbench.md"}


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_commands_of_the_pages_are_understood(page, line):
    _, _, module, *words = shlex.split(line)
    if module in PARSERS:
        chosen = PARSERS[module].parse_args(words)
        if module == "bench.study":
            assert STUDIES[chosen.study].rows(chosen.rows)


def test_every_study_has_one_place_for_its_tables():
    found = [name for page in PAGES for name in re.findall(r"<!-- tables: (.*) -->", page.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(STUDIES)


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_the_tables_list_the_variants_as_declared(study):
    """Else: ``python -m bench.study table --study NAME --store STORE --write PAGE``."""
    (page,) = (text for page in PAGES if f"<!-- tables: {study.name} -->" in (text := page.read_text(encoding="utf-8")))
    assert legend(study) in page
