"""A table is the same in every format, and says at once where it cannot be written."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from phase2.errors import RequestError
from phase2.prediction.ensemble import predict_ensemble
from phase2.prediction.predicting import novelty_warning, predict_structures
from phase2.prediction.table import check_output, readable_name, write_table

NUMBERS = ["formation_energy [eV/atom]", "band_gap [eV]", "bulk_modulus [GPa]", "shear_modulus [GPa]"]


@pytest.fixture(scope="session")
def files(examples, tmp_path_factory):
    """Two structures, one with an element that no training set has, and a file that is none."""
    folder = tmp_path_factory.mktemp("files")
    strange, empty = folder / "Og.cif", folder / "empty.cif"
    strange.write_text(next(p for p in examples if p.name == "Si.cif").read_text().replace("Si", "Og"))
    empty.write_text("")
    return [examples[0], strange, empty]


@pytest.fixture(scope="session")
def table(predictor, files):
    return predict_structures(predictor, files)


@pytest.fixture(scope="session")
def ensemble_table(predictor, wider_predictor, files):
    return predict_ensemble([predictor, wider_predictor], files)


def test_headings_carry_the_units(table, ensemble_table):
    assert table.columns() == ["file", "formula", *NUMBERS, "warning", "error"]
    spreads = [f"std of {heading}" for heading in NUMBERS]
    assert ensemble_table.columns() == ["file", "formula", *NUMBERS, *spreads, "warning", "error"]


def test_records_have_a_cell_for_every_heading(table, ensemble_table):
    for one in (table, ensemble_table):
        numbers = len(one.numeric_headings())
        assert [len(record) for record in one.records()] == [len(one.columns())] * 3
        assert one.records()[2][2 : 2 + numbers] == [None] * numbers
        assert one.records()[0][2 : 2 + len(NUMBERS)] == one.rows[0].values.tolist()
    assert ensemble_table.records()[0][6:10] == ensemble_table.rows[0].spread.tolist()


def test_warnings_and_errors_are_in_columns_of_their_own(table):
    good, strange, empty = table.records()
    # The 48 training crystals may have none that is like these.
    assert good[-2] in ("", novelty_warning(table.rows[0].novelty))
    assert strange[-2].split("; ")[0] == "not in the training set: Og"
    assert [good[-1], strange[-1]] == ["", ""]
    assert empty[-2] == ""
    assert "holds no valid crystal" in empty[-1]
    assert table.failures == (table.rows[2],)


def read(path):
    """Rows of a table in any of the formats."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        numeric = [name for name in rows[0] if name.endswith("]")]
        return [row | {name: float(row[name]) if row[name] else None for name in numeric} for row in rows]
    return json.loads(path.read_text("utf-8")) if path.suffix == ".json" else pq.read_table(path).to_pylist()


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet", ".CSV"])
@pytest.mark.parametrize("which", ["table", "ensemble_table"])
def test_every_format_gives_back_the_records(request, tmp_path, which, suffix):
    written = request.getfixturevalue(which)
    path = tmp_path / f"predictions{suffix}"
    write_table(written, path)
    rows = read(path.rename(path.with_suffix(suffix.lower())))
    assert [list(row) for row in rows] == [written.columns()] * 3
    assert [list(row.values()) for row in rows] == written.records()


def test_paths_become_relative_to_a_folder(table, files):
    folder = files[1].parent
    assert [row.file for row in table.relative_to(folder).rows] == [str(files[0]), "Og.cif", "empty.cif"]
    np.testing.assert_array_equal(table.relative_to(folder).rows[0].values, table.rows[0].values)


def test_names_that_are_no_utf8_stay_readable():
    assert readable_name(Path(os.fsdecode(b"\xffNaCl.cif"))) == "\ufffdNaCl.cif"
    assert readable_name(Path("Sr\u00fc.cif")) == "Sr\u00fc.cif"


def test_outputs_that_cannot_be_written_are_refused(tmp_path):
    check_output(tmp_path / "p.csv")
    (tmp_path / "folder.csv").mkdir()
    for path, reason in (
        (tmp_path / "p.xlsx", "no known format"),
        (tmp_path / "nowhere" / "p.csv", "does not exist"),
        (tmp_path / "folder.csv", "cannot be written"),
    ):
        with pytest.raises(RequestError, match=reason):
            check_output(path)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"], "checking writes nothing"
