"""The reference pages say what the code does."""

import importlib
import json
import re
from pathlib import Path

import pytest

from phase2.runs.manifest import RunManifest
from phase2.runs.results import Results
from phase2.storage.records import Record

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        yield importlib.import_module("generate_reference")


@pytest.mark.parametrize("name", ["levels.md", "cli.md", "manifest.md"])
def test_pages_are_current(generator, name):
    page = (ROOT / "docs" / "reference" / name).read_text()
    assert page == generator.HEADER + generator.PAGES[name](), "stale: run 'make reference'"


def test_every_field_of_every_record_is_described(generator):
    records = [RunManifest, Results, *generator._models_in(RunManifest)]
    ours = {record for record in records if issubclass(record, Record)}
    assert len(ours) > 5
    for record in ours:
        assert set(generator.attributes(record)) == set(record.model_fields), record


def test_every_field_in_a_file_is_on_the_page(generator, manifest):
    names = set(re.findall(r'"(\w+)":', json.dumps(manifest.model_dump(mode="json"))))
    own = set(RunManifest.model_fields)
    assert own <= names
    assert all(f"`{name}`" in generator.manifest_page() for name in own)
