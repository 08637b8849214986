"""A data set written in any format is read again as it was: ids, structures to 1e-10 and labels exactly."""

import errno
import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from phase2.cli.data.commands import app
from phase2.data.sources.registry import open_source
from phase2.data.writers.convert import TARGETS, Target, convert, target_of
from phase2.errors import DataError, RequestError, TransientError, UnknownNameError

IDS = ["mp-1", "17", "1e5", "T", "a b", 'q"x\\', "deep/er", "Deep/er", "grün", "=x"]
BAD = {"jid": "bad", "atoms": {"lattice_mat": [[1, 0, 0]] * 3, "coords": [[0, 0, 0]], "elements": ["Na"]}}


def record(rng, name):
    lattice = np.diag(rng.uniform(4, 7, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
    coords = rng.uniform(0.01, 0.3, (4, 3)) + np.array([[0, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]])
    labels = {"formation_energy": float(rng.normal()), "band_gap": float(rng.uniform(0, 1e-5))}
    atoms = {"lattice_mat": lattice.tolist(), "coords": coords.tolist(), "elements": ["Na", "Cl", "Na", "Fe"]}
    return {"jid": name, "atoms": atoms, **labels}


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(3)
    path = tmp_path / "in.json"
    path.write_text(json.dumps([record(rng, name) for name in IDS[:5]] + [BAD] + [record(rng, n) for n in IDS[5:]]))
    return path


def read(path):
    source = open_source(str(path))
    return [source.parse(raw) for raw in source.records()]


def _names():
    for key, target in TARGETS.items():
        yield key, f"out{target.suffix}"
        if target.packed:
            yield key, f"out{target.suffix}.gz"


@pytest.mark.parametrize(("key", "name"), list(_names()))
def test_round_trip(tmp_path, data, key, name):
    out = tmp_path / "new" / name
    found = convert(open_source(str(data)), out, target_of(out, key))
    assert (found.written, [one.id for one in found.rejected]) == (len(IDS), ["bad"])
    before, after = read_valid(data), read(out)
    assert [one.crystal.id for one in after] == IDS
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new.targets, old.targets)
        if key == "cif":  # keeps lengths and angles, not the orientation
            ours, theirs = old.crystal.to_pymatgen(), new.crystal.to_pymatgen()
            np.testing.assert_allclose(theirs.lattice.parameters, ours.lattice.parameters, atol=1e-10)
        else:
            np.testing.assert_allclose(new.crystal.lattice, old.crystal.lattice, rtol=0, atol=1e-10)
        first, second = sites(old.crystal), sites(new.crystal)
        if key != "cif":  # pymatgen orders the sites of a CIF by element
            np.testing.assert_array_equal(new.crystal.species, old.crystal.species)
        np.testing.assert_allclose(second, first, rtol=0, atol=1e-10)
    assert [path.name for path in out.parent.iterdir()] == [name]


def sites(crystal):
    """Return element and position of each atom, (N, 4), in an order of their own."""
    table = np.column_stack([crystal.species, crystal.frac])
    return table[np.lexsort(table.round(6).T)]


def read_valid(path):
    source = open_source(str(path))
    return [source.parse(raw) for raw in source.records() if raw.id != "bad"]


def test_a_conversion_of_a_conversion_of_all(tmp_path, data):
    last = data
    for key, target in TARGETS.items():
        out = tmp_path / f"step-{key}{target.suffix}"
        convert(open_source(str(last)), out, target)
        last = out
    for old, new in zip(read_valid(data), read(last), strict=True):
        assert old.crystal.id == new.crystal.id
        np.testing.assert_array_equal(new.targets, old.targets)


@pytest.mark.parametrize(("content", "kind"), [([BAD], DataError), ("[{", DataError), ([], DataError)])
def test_nothing_is_left_of_what_fails(tmp_path, content, kind):
    path = tmp_path / "in.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    for key, target in TARGETS.items():
        with pytest.raises(kind):
            convert(open_source(str(path)), tmp_path / f"out-{key}{target.suffix}", target)
    assert [one.name for one in tmp_path.iterdir()] == ["in.json"]


def test_nothing_is_overwritten(tmp_path, data):
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    with pytest.raises(RequestError, match="exists"):
        convert(open_source(str(data)), out, target_of(out))
    assert out.read_text() == "mine"


def test_what_is_not_clear_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="parquet"):
        target_of(tmp_path / "a", "parkett")
    for name, to in (("a", None), ("a.csv", None), ("a.json", "jarvis"), ("a.parquet.gz", None), ("a.db.gz", "ase")):
        with pytest.raises(RequestError):
            target_of(tmp_path / name, to)


def test_the_command_counts_and_names(tmp_path, data):
    ended = CliRunner().invoke(app, ["convert", str(data), str(tmp_path / "out.parquet")])
    assert ended.exit_code == 0, ended.output
    assert f"{len(IDS)} crystals written as Parquet" in ended.output
    assert "not written: bad" in ended.output
    assert math.isclose(read(tmp_path / "out.parquet")[0].targets[0], read_valid(data)[0].targets[0], rel_tol=0)


@pytest.mark.parametrize("key", list(TARGETS))
def test_a_left_handed_cell_keeps_its_atoms_where_they_are(tmp_path, key):
    atoms = {
        "lattice_mat": [[4.0, 0.1, 0.2], [0.3, 0.75, 6.0], [0.5, 5.0, 0.4]],
        "coords": [[0.1, 0.2, 0.3], [0.6, 0.3, 0.45], [0.4, 0.7, 0.8]],
        "elements": ["Na", "Cl", "O"],
    }
    (tmp_path / "in.json").write_text(json.dumps([{"jid": "a", "atoms": atoms}]))
    (before,) = read(tmp_path / "in.json")
    out = tmp_path / f"out{TARGETS[key].suffix}"
    convert(open_source(str(tmp_path / "in.json")), out, target_of(out, key))
    (after,) = read(out)
    old, new = before.crystal, after.crystal
    order = [new.symbols.index(symbol) for symbol in old.symbols]
    sign = 1 if np.linalg.det(old.lattice) * np.linalg.det(new.lattice) > 0 else -1
    lattice, frac = sign * new.lattice, sign * new.frac[order]
    np.testing.assert_allclose(lattice @ lattice.T, old.lattice @ old.lattice.T, atol=1e-8)
    np.testing.assert_allclose((frac - old.frac + 0.5) % 1, 0.5, atol=1e-8)


def test_files_of_a_folder_are_one_for_each_crystal_whatever_the_ids(tmp_path):
    rng = np.random.default_rng(4)
    names = ["x_-2", "x?", "x!", "X_-2", "x_"]
    path = tmp_path / "in.json"
    path.write_text(json.dumps([record(rng, name) for name in names]))
    out = tmp_path / "out"
    convert(open_source(str(path)), out, TARGETS["poscar"])
    files = [file.name for file in out.glob("*.vasp")]
    assert len({name.lower() for name in files}) == len(names)
    before, after = read(path), read(out)
    assert [one.crystal.id for one in after] == names
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new.crystal.lattice, old.crystal.lattice, rtol=0, atol=1e-10)


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, data):
    def write(path, crystals, properties):
        path.write_text("a part")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(TransientError, match="No space is left for") as failed:
        convert(open_source(str(data)), tmp_path / "new" / "out.x", Target("x", ".x", write))
    assert "--resume" not in failed.value.fix
    assert list((tmp_path / "new").iterdir()) == []
