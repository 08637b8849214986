"""Frames of extended XYZ and XDATCAR are the crystal that they state, or are refused."""

import gzip
import io
import itertools
import json

import numpy as np
import pytest
from ase.io.extxyz import read_xyz

from phase2.config.limits import DEFAULT_LIMITS
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.extxyz import parse_extxyz
from phase2.data.crystals.formats.parsing import parse_text
from phase2.data.crystals.formats.vasp.xdatcar import parse_xdatcar
from phase2.data.crystals.readers import read_records, read_structure
from phase2.errors import DataError, InvalidCrystalError
from phase2.testing.crystals import assert_same_crystal

LATTICE = [[4.0, 0.0, 0.0], [0.5, 5.0, 0.0], [0.25, 0.75, 6.0]]
FRAC = [[0.0, 0.0, 0.0], [0.5, 0.25, 0.125], [0.25, 0.5, 0.75]]
CRYSTAL = Crystal.checked("x", ["Na", "Cl", "O"], FRAC, LATTICE)
HEAD = 'Lattice="4 0 0 0.5 5 0 0.25 0.75 6" Properties=species:S:1:pos:R:3'
BODY = "".join(
    f"{symbol} {x!r} {y!r} {z!r}\n"
    for symbol, (x, y, z) in zip(CRYSTAL.symbols, CRYSTAL.cartesian.tolist(), strict=True)
)


def frame(head=HEAD, body=BODY, count=3):
    return f"{count}\n{head}\n{body}"


def read(text, parse=parse_extxyz):
    return parse_text(text, "a file", "x", parse, DEFAULT_LIMITS)


def columns(properties, *values):
    """Return a frame whose lines have the symbol, the position and further values, in that order or reversed."""
    head = HEAD.replace("species:S:1:pos:R:3", properties)
    more = zip(*values, strict=True) if values else [()] * 3
    lines = [[*line.split(), *map(str, extra)] for line, extra in zip(BODY.splitlines(), more, strict=True)]
    return frame(head, "".join(" ".join(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    "text",
    [
        frame(),
        frame(HEAD + ' pbc="T T T" band_gap=1.5 name="a b" note="x=1 x=2"'),
        frame(HEAD.partition(" Properties")[0]),
        frame(body=BODY.replace("\n", " 9 9 9\n")),
        columns("species:S:1:pos:R:3:Z:I:1", [11, 17, 8]),
        columns("species:S:1:pos:R:3:occupancy:R:1", [1, 1.0, 0.9999]),
        columns("species:S:1:pos:R:3:forces:R:3", *[[0.1, 0.2, 0.3]] * 3),
        frame('Lattice={4 0 0 0.5 5 0 0.25 0.75 6} Properties="species:S:1:pos:R:3"'),
    ],
)
def test_frames_are_read_as_ase_reads_them(text):
    assert_same_crystal(read(text), CRYSTAL)
    atoms = next(read_xyz(io.StringIO(text), 0))
    np.testing.assert_allclose(read(text).cartesian, atoms.positions, atol=1e-10)
    np.testing.assert_allclose(read(text).lattice, atoms.cell, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (frame("Properties=species:S:1:pos:R:3"), "no Lattice"),
        (frame(HEAD.lower()), "no Lattice"),
        (frame(HEAD + ' pbc="T T F"'), "2 of 3 directions"),
        (frame(HEAD + " pbc=F"), "0 of 3 directions"),
        (frame(HEAD + ' pbc="yes no yes"'), "not three times true or false"),
        (frame(HEAD + " band_gap=1 band_gap=2"), "'band_gap' 2 times"),
        (frame(body=BODY.replace("Cl", "CO")), "site 1 holds 'CO'.*'Co'"),
        (frame(body=BODY.replace("Na", "na")), "site 0 holds 'na'.*'Na'"),
        (frame(body=BODY.replace("Na", "Na1")), "site 0 holds 'Na1'"),
        (frame(body=BODY.replace("Na", "X")), "site 0 holds 'X'"),
        (frame(body=BODY.replace("Na", "11")), "site 0 holds '11'"),
        (frame(body=BODY.replace(" 0.0\n", "\n", 1)), "site 0 has 3 columns, expected 4"),
        (columns("species:S:1:scaled_pos:R:3"), "'species' .*'pos' are needed"),
        (columns("name:S:1:pos:R:3"), "'species' .*are needed"),
        (columns("species:S:1:pos:R:x"), "no names, types, widths"),
        (columns("species:S:1:pos:R:3:Z:I:1", [11, 17, 9]), "site 2 holds O, with the atomic number '9'"),
        (columns("species:S:1:pos:R:3:occupancy:R:1", [1, 0.5, 1]), "site 1 has the occupancy '0.5'"),
    ],
)
def test_what_ase_would_pass_over_is_refused(text, said):
    with pytest.raises(InvalidCrystalError, match=said):
        read(text)


def test_isotopes_of_hydrogen_are_hydrogen():
    assert read(frame(body=BODY.replace("Na", "D"))).symbols == ("H", "Cl", "O")


@pytest.mark.parametrize("before", [0, 1])
def test_a_frame_that_says_too_few_atoms_is_no_crystal(tmp_path, before):
    (tmp_path / "a.extxyz").write_text(frame() * before + frame(count=2))
    records = read_records(tmp_path / "a.extxyz")
    assert len(list(itertools.islice(records, before))) == before
    with pytest.raises(DataError, match="begins with its number of atoms, and there is 'O"):
        next(records)


HEADER = "t\n{scale}\n4 0 0\n0.5 5 0\n0.25 0.75 6\nNa Cl O\n1 1 1\n"
LAST = "0 0 0\n0.5 0.25 0.125\n0.25 0.5 0.75\n"
FIRST = "0 0 0\n0.5 0.5 0.5\n0.25 0.25 0.75\n"


def trajectory(*parts, kind="Direct"):
    return "".join(
        f"{header}{kind} configuration=     {k}\n{frame}" for k, (header, frame) in enumerate(parts, start=1)
    )


@pytest.mark.parametrize(
    "text",
    [
        trajectory((HEADER.format(scale=1), FIRST), ("", LAST)),
        trajectory((HEADER.format(scale=2), FIRST), (HEADER.format(scale=1), LAST)),
        trajectory((HEADER.format(scale=2), FIRST), ("\n" + HEADER.format(scale=1), LAST)),
        trajectory((HEADER.format(scale=1), FIRST), ("", LAST), kind="direct"),
        trajectory((HEADER.format(scale=2), FIRST), (HEADER.format(scale=1), LAST)).replace("\n", "\r\n"),
        trajectory(
            (HEADER.format(scale=2), FIRST), (HEADER.format(scale=1).replace("t\n", "Direct configuration= x\n"), LAST)
        ),
        trajectory(
            (HEADER.format(scale=2).replace("Na Cl O\n1 1 1", "Na Cl\nO\n1 1\n1"), FIRST),
            (HEADER.format(scale=1).replace("Na Cl O\n1 1 1", "Na Cl\nO\n1 1\n1"), LAST),
        ),
    ],
)
def test_the_last_frame_of_a_trajectory_has_the_header_before_it(text):
    crystal = read(text, parse_xdatcar)
    assert_same_crystal(crystal, CRYSTAL)
    assert crystal.remarks == ("the last of 2 frames",)


def test_a_trajectory_of_one_frame_has_no_remark_and_a_damaged_one_is_refused():
    assert read(trajectory((HEADER.format(scale=1), LAST)), parse_xdatcar).remarks == ()
    with pytest.raises(InvalidCrystalError, match="something else than positions and a header"):
        read(trajectory((HEADER.format(scale=1), FIRST), ("0.1 0.1 0.1\n", LAST)), parse_xdatcar)
    with pytest.raises(InvalidCrystalError, match="2 positions"):
        read(trajectory((HEADER.format(scale=1), FIRST), ("", LAST.replace("0.25 0.5 0.75\n", ""))), parse_xdatcar)


@pytest.mark.parametrize("name", ["poscar_data.json", "contcars.jsonl", "POSCARs.extxyz", "xdatcars.json.gz"])
def test_the_suffix_of_another_format_counts_more_than_how_a_name_begins(tmp_path, name):
    record = {"lattice_mat": LATTICE, "coords": FRAC, "elements": ["Na", "Cl", "O"], "cartesian": False}
    content = (frame() if "extxyz" in name else json.dumps(record)).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert_same_crystal(read_structure(tmp_path / name, "x"), CRYSTAL)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz"])
def test_a_table_that_holds_cifs_is_no_cif(tmp_path, name):
    (tmp_path / name).write_text('id,cif\na,"data_a\n_cell_length_a 4\n"\n')
    with pytest.raises(DataError, match=r"is a table.*--data"):
        read_structure(tmp_path / name)
