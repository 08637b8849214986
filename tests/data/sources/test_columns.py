"""Columns that are no property: of the CSV of a folder and of JSON records, by id."""

import json
import shutil

import pytest
from tests.argo.manifests import ROOT

from phase2.data.sources.columns import read_column
from phase2.data.sources.registry import open_source
from phase2.errors import DataError, UnknownNameError


def test_a_column_of_the_csv_of_a_folder(tmp_path):
    for name in ("NaCl", "Si"):
        shutil.copy(ROOT / "docs" / "examples" / f"{name}.cif", tmp_path)
    (tmp_path / "targets.csv").write_text(
        "file,band_gap [eV],lab\nNaCl.cif,5.0, north\nSi.cif,0.6,\n", encoding="utf-8"
    )
    source = open_source(str(tmp_path))
    assert read_column(source, "lab") == {"NaCl": "north", "Si": ""}
    assert set(read_column(source, "lab")) == {record.id for record in source.records()}
    with pytest.raises(UnknownNameError, match="Did you mean 'lab'"):
        read_column(source, "labs")


def test_a_column_of_records(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps([{"jid": "a", "atoms": {}, "year": 1999}, {"jid": "b", "atoms": {}}]), encoding="utf-8")
    assert read_column(open_source(str(path)), "year") == {"a": "1999", "b": ""}


def test_the_sample_has_no_columns():
    with pytest.raises(DataError, match="has no columns"):
        read_column(open_source("sample"), "lab")
