"""The pages of the benchmarks: commands that are understood, and tables of the studies as they are declared."""

import re
import shlex
from pathlib import Path

import pytest
from bench.protocols.__main__ import _parser as protocols_parser
from bench.protocols.matbench import TASKS
from bench.study.__main__ import _parser as study_parser
from bench.study.declared import STUDIES
from bench.study.recorded import FOLDER, recorded_file, recorded_results
from bench.study.rows import SEEDS
from bench.study.tables import report

from phase2.config.data.property_texts import parse_property
from tools.prose import wrap

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


def test_tasks_of_matbench_are_those_of_the_page_on_splits():
    page = (PAGES[0].parents[1] / "how-to" / "splits.md").read_text(encoding="utf-8")
    listed = {parse_property(text)[0] for text in re.findall(r'`--property "([^"]+)"`', page)}
    own = {task.prop for task in TASKS.values() if not task.is_logarithm}
    assert own
    assert own <= listed


def test_every_study_has_one_place_for_its_tables():
    found = [name for page in PAGES for name in re.findall(r"<!-- tables: (.*) -->", page.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(STUDIES)


RECORDED = [study for study in STUDIES.values() if recorded_file(study.name).exists()]


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_the_tables_are_those_of_the_recorded_results(study):
    """Else: ``python -m bench.study table --study NAME --write PAGE``."""
    results = recorded_results(recorded_file(study.name), study.runs((), SEEDS, data="sample"))
    text = report(study, results)
    assert f"\n\n{wrap(text)}\n\n<!-- end -->" in page_of(study)


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_what_was_trained_before_recording_has_figures_beside_the_recorded_ones(study):
    """Else a reader would take an unrecorded variant for one that was never trained, or look for figures in vain."""
    _, after = page_of(study).split("<!-- end -->")
    assert (not study.earlier) or "before results were recorded" in after.lower()
    for name in study.earlier:
        assert study.variant(name)
        assert re.search(rf"^\| {re.escape(name)}[, ]", after, re.MULTILINE), name


def test_results_are_recorded_of_declared_studies_alone():
    assert {path.name for path in FOLDER.glob("study-*")} == {recorded_file(study.name).name for study in RECORDED}


def page_of(study):
    (page,) = (text for page in PAGES if f"<!-- tables: {study.name} -->" in (text := page.read_text(encoding="utf-8")))
    return page
