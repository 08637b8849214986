"""The reference pages are current and complete."""

import json
import re

import pytest
from pydantic import BaseModel

from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import Results
from phase2.storage.records import Record
from tools.reference.pages import FOLDER, pages
from tools.reference.run_files import attributes, manifest_page, models_in


@pytest.mark.parametrize("name", sorted(pages()))
def test_pages_are_current(name):
    assert (FOLDER / name).read_text() == pages()[name], "stale: run 'make reference'"


def test_every_field_of_every_record_is_described():
    records: list[type[BaseModel]] = [RunManifest, Results, *models_in(RunManifest)]
    ours = {record for record in records if issubclass(record, Record)}
    assert len(ours) > 5
    for record in ours:
        assert set(attributes(record)) == set(record.model_fields), record


def test_every_field_in_a_file_is_on_the_page(manifest):
    names = set(re.findall(r'"(\w+)":', json.dumps(manifest.model_dump(mode="json"))))
    own = set(RunManifest.model_fields)
    assert own <= names
    assert all(f"`{name}`" in manifest_page() for name in own)
