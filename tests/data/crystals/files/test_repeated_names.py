"""What stands twice under one name is never chosen in silence, and cells of tables may hold JSON of a structure."""

import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Lattice, Structure

from phase2.data.crystals.crystal import Crystal
from phase2.data.sources.registry import open_source
from phase2.errors import DataError
from phase2.properties import KEYS
from phase2.testing.crystals import assert_same_crystal

STRUCTURE = Structure(Lattice.cubic(4.0), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
CRYSTAL = Crystal.checked("x", ["Na", "Cl"], [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]], np.diag([4.0, 4.0, 4.0]))
DOCUMENT = json.dumps(STRUCTURE.as_dict())
JARVIS = json.dumps(
    {"lattice_mat": CRYSTAL.lattice.tolist(), "coords": CRYSTAL.frac.tolist(), "elements": ["Na", "Cl"]}
)
CIF = STRUCTURE.to(fmt="cif")


def records(path):
    """Return what each record of a file is: the labels of a crystal that is right, or why there is none."""
    source = open_source(str(path))
    found = {}
    for raw in source.records():
        if not raw.defect:
            parsed = source.parse(raw)
            assert_same_crystal(parsed.crystal, CRYSTAL)
        found[raw.id] = raw.defect or parsed.targets[KEYS.index("band_gap")]
    return found


@pytest.mark.parametrize(
    "record",
    [
        f'{{"structure": {DOCUMENT}, "band_gap": 1, "band_gap": 2}}',
        f'{{"structure": {DOCUMENT}, "structure": {DOCUMENT}}}',
        f'{{"structure": {DOCUMENT.replace("{", chr(123) + chr(34) + "lattice" + chr(34) + ": 1, ", 1)}}}',
    ],
)
def test_a_record_with_a_key_that_stands_twice_is_refused(tmp_path, record):
    for name, content in (("a.json", f"[{record}]"), ("a.jsonl", f'{record}\n{{"structure": {DOCUMENT}}}\n')):
        (tmp_path / name).write_text(content)
        assert "twice" in records(tmp_path / name)["record-0"]
    assert len(records(tmp_path / "a.jsonl")) == 2


def test_records_under_one_key_are_refused(tmp_path):
    (tmp_path / "a.json").write_text(f'{{"a": {DOCUMENT}, "a": {DOCUMENT}, "b": {DOCUMENT}}}')
    with pytest.raises(DataError, match="the key 'a' stands twice"):
        records(tmp_path / "a.json")
    (tmp_path / "a.json").write_text(f'{{"a": {DOCUMENT}, "b": {DOCUMENT}, "a": {DOCUMENT}}}')
    assert list(open_source(str(tmp_path / "a.json")).records())[2].defect == "An earlier record has the same id."


def test_two_columns_of_one_name_are_refused(tmp_path):
    (tmp_path / "a.json").write_text(
        json.dumps({"columns": ["structure", "band_gap", "band_gap"], "data": [[json.loads(DOCUMENT), 1, 2]]})
    )
    assert "the same name" in records(tmp_path / "a.json")["record-0"]
    columns = [pa.array([CIF]), pa.array([1.0]), pa.array([2.0])]
    pq.write_table(pa.Table.from_arrays(columns, names=["cif", "band_gap", "band_gap"]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="two columns 'band_gap'"):
        records(tmp_path / "a.parquet")


@pytest.mark.parametrize(("column", "cell"), [("structure", DOCUMENT), ("structure", CIF), ("atoms", JARVIS)])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet", "a.jsonl", "a.json"])
def test_cells_with_json_or_text_of_a_structure(tmp_path, name, column, cell):
    path = tmp_path / name
    table = pd.DataFrame({"id": ["a", "b"], column: [cell, "rocksalt"], "band_gap": [1.5, 2.5]})
    if path.suffix in {".csv", ".tsv"}:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=path.suffix == ".jsonl")
    found = records(path)
    assert found["a"] == 1.5
    assert "no structure" in found["b"] or "no text" in found["b"]


def test_a_column_of_prototypes_beside_files_is_no_structure(tmp_path):
    (tmp_path / "a.cif").write_text(CIF)
    (tmp_path / "targets.csv").write_text("id,structure,band_gap\na,rocksalt,1.5\n")
    assert records(tmp_path) == {"a": 1.5}


def test_parquet_of_pandas(tmp_path):
    empty = [None] * 300
    table = pd.DataFrame(
        {"cif": [*empty, CIF], "band_gap": decimal.Decimal("1.5")}, index=[f"m-{k}" for k in range(301)]
    )
    table.to_parquet(tmp_path / "a.parquet")
    found = records(tmp_path / "a.parquet")
    assert len(found) == 301
    assert found["m-300"] == 1.5
    assert "no structure" in found["m-0"]


def test_one_page_of_several_is_said(tmp_path, caplog):
    content = {"data": [json.loads(DOCUMENT)], "meta": {"more_data_available": True, "data_returned": 1200}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert len(records(tmp_path / "a.json")) == 1
    assert "one page of a response of 1,200 structures" in caplog.text
