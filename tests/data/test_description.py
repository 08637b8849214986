"""The description of a data set counts what is in it."""

import json

import numpy as np
import pytest

from phase2.cli import main
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset, open_graph_store
from phase2.data.description import equal_crystals
from phase2.errors import DataError

POSCAR = "x\n1.0\n{a} 0 0\n0 {a} 0\n0 0 {a}\n{first} Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"
DOUBLED = "x\n1.0\n5 0 0\n0 5 0\n0 0 10\nCl Na\n2 2\nDirect\n0.5 0.5 0.25\n0.5 0.5 0.75\n0 0 0.5\n0 0 0\n"


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "data"
    found.mkdir()
    for k, element in enumerate(["Na", "K", "Rb", "Cs", "Na"]):
        (found / f"c{k}.vasp").write_text(POSCAR.format(a=5 + 0.2 * (k % 4), first=element))
    (found / "doubled.vasp").write_text(DOUBLED)
    (found / "broken.vasp").write_text("x\n")
    (found / "notes.txt").write_text("")
    rows = ["c0,1", "c1,1.5", "c2,", "c3,-1.2", "c4,3", "doubled,2", "broken,1", "gone,1", "lost,1"]
    (found / "targets.csv").write_text("id,band_gap\n" + "\n".join(rows) + "\n")
    return found


def test_everything_is_counted(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["data", "describe", "--data", str(folder), "--format", "json", "--plot", str(tmp_path / "d.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["crystals"] == 6
    assert found["unlabelled"] == 1
    assert found["formulas"] == 4
    assert found["elements"] == {"Na": 3, "Cl": 6, "K": 1, "Rb": 1, "Cs": 1}
    assert found["sizes"] == [2, 2, 4]
    assert found["size_counts"] == {"2": 5, "4": 1}
    gap = found["labels"][1]
    assert (gap["key"], gap["count"], gap["median"]) == ("band_gap", 5, 1.5)
    assert gap["lowest"] == pytest.approx(-1.2)
    assert sum(gap["histogram"]) == 5
    assert found["labels"][0]["count"] == 0
    assert found["duplicates"] == [["c0", "c4", "doubled"]]
    assert found["duplicated"] == 2
    assert found["remarks"] == ["band_gap: 1 of 5 labels are beyond reason, outside of 0 to 30 eV: -1.2 (c3)."]
    assert found["rejected"] == 3
    assert [(one["count"], one["ids"]) for one in found["reasons"]] == [(2, ["gone", "lost"]), (1, ["broken"])]
    assert found["left_out"] == ["1 file not taken (no structure by name): notes.txt"]
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_says_the_same(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["data", "describe", "--data", str(folder)]) == 0
    printed = capsys.readouterr().out
    for text in ("c0 = c4 = doubled", "remark: band_gap", "2 such as gone", "notes.txt", "Cl 6", "2 to 4, median 2"):
        assert text in printed
    assert main(["data", "prepare", "--data", str(folder)]) == 0
    printed = capsys.readouterr().out
    for text in ("3 records are no valid crystal", "2 such as gone", "remark: band_gap", "notes.txt"):
        assert text in printed


def test_other_forms_are_refused(capsys):
    assert main(["data", "describe", "--format", "xml"]) == 2
    assert main(["data", "describe", "--plot", "x.pdf"]) == 2
    assert "ends in .png" in capsys.readouterr().err


def test_a_data_set_without_labels_is_described_and_drawn(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    (folder / "targets.csv").write_text("id,band_gap\nc0,\n")
    assert main(["data", "describe", "--data", str(folder), "--plot", str(tmp_path / "d.png")]) == 0


def enlarged(folder, *labels, key):
    """Give the data set twenty crystals with these labels and others."""
    for k in range(20):
        (folder / f"c{k}.vasp").write_text(POSCAR.format(a=5 + 0.1 * k, first="Na"))
    values = [*labels, *range(1, 21 - len(labels))]
    rows = "".join(f"c{k},{value}\n" for k, value in enumerate(values))
    (folder / "targets.csv").write_text(f"id,{key}\n{rows}")
    return DataConfig(source=str(folder))


@pytest.mark.parametrize("value", ["-999", "9999", "-1"])
def test_a_run_refuses_numbers_for_missing_labels(folder, tmp_path, value):
    config = enlarged(folder, value, value, value, key="bulk_modulus")
    with pytest.raises(DataError, match=f"3 labels of bulk_modulus are {value}"):
        CrystalPropertyDataset.load(config, ["bulk_modulus"], cache=tmp_path / "cache")


def test_a_run_remarks_on_odd_labels_and_filters_none(folder, tmp_path):
    config = enlarged(folder, 1e30, key="band_gap")
    dataset = CrystalPropertyDataset.load(config, ["band_gap"], cache=tmp_path / "cache")
    (remark,) = dataset.label_remarks()
    assert "1e+30 (c0)" in remark
    assert np.nanmax(dataset.targets) > 1e29


CIF = (
    "data_x\n_cell_length_a {a}\n_cell_length_b {a}\n_cell_length_c {a}\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
    + (
        "_cell_angle_gamma 90\n{symmetry}\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n"
        "_atom_site_fract_z\n_atom_site_occupancy\nNa1 0 0 0 1\nCl1 0.5 0.5 0.5 1\n{vacant}\n"
    )
)
NUMBER, SYMBOL = "_space_group_IT_number 225", "_space_group_name_H-M_alt 'F m -3 m'"


@pytest.fixture
def assumed(tmp_path):
    """Four CIFs, of which two state a number alone and one of these has a vacant site."""
    found = tmp_path / "assumed"
    found.mkdir()
    for k, (symmetry, vacant) in enumerate([(NUMBER, ""), (NUMBER, "Li1 .25 .25 .25 0"), (SYMBOL, ""), (SYMBOL, "")]):
        (found / f"c{k}.cif").write_text(CIF.format(a=5.6 + 0.1 * k, symmetry=symmetry, vacant=vacant))
    (found / "targets.csv").write_text("id,band_gap\n" + "".join(f"c{k},{k + 1}\n" for k in range(4)))
    return found


def test_what_was_assumed_in_reading_is_counted_and_named(assumed, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    for _ in range(2):  # when the graphs are built, and when they are there
        assert main(["data", "describe", "--data", str(assumed), "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["crystals"], found["rejected"]) == (4, 0)
        number, vacant = found["readings"]
        assert (number["count"], number["ids"]) == (2, ["c0", "c1"])
        assert "known by the number alone" in number["reason"]
        assert (vacant["count"], vacant["ids"]) == (1, ["c1"])
        assert "occupancy 0 are left out: 'Li1'" in vacant["reason"]
    assert main(["data", "describe", "--data", str(assumed)]) == 0
    assert "2 such as c0: its space group is known by the number alone" in capsys.readouterr().out
    (path,) = (tmp_path / "cache").glob("graphs/*/remarks.csv")
    assert path.read_text().count("\n") == 1 + 3
    path.write_text("id,remark\n")
    assert main(["data", "prepare", "--data", str(assumed)]) == 0  # a damaged store is built anew
    assert "2 records were read with a remark" in capsys.readouterr().out
    assert path.read_text().count("\n") == 1 + 3
    assert main(["data", "convert", str(assumed), str(tmp_path / "out.jsonl")]) == 0
    assert "2 records were read with a remark" in capsys.readouterr().err


def test_equal_crystals_are_found_across_blocks(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("phase2.data.description._CRYSTALS", 2)
    store = open_graph_store(DataConfig(source=str(folder)), cache=tmp_path)
    assert equal_crystals(store.graphs) == [[0, 4, 5]]
