"""A POSCAR becomes the crystal that VASP makes of it, or is refused with the line that is wrong."""

import io

import numpy as np
import pytest
from ase.io import read as ase_read
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp.inputs import Poscar

from phase2.data.crystals.formats.ase import from_ase
from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.errors import InvalidCrystalError
from phase2.testing.crystals import assert_same_crystal

CUBIC = ["5.64 0 0", "0 5.64 0", "0 0 5.64"]
ROCK_SALT = ["0 0 0", "0 .5 .5", ".5 0 .5", ".5 .5 0", ".5 0 0", "0 .5 0", "0 0 .5", ".5 .5 .5"]
TILTED = ["3.1 0.2 0", "-0.4 4.2 0.3", "0.1 0.6 5.3"]


def poscar(*, scale="1.0", lattice=CUBIC, names="Na Cl", counts="4 4", mode="Direct", positions=ROCK_SALT, tail=()):
    head = ["comment", scale, *lattice, *([names] if names is not None else []), counts]
    return "\n".join([*head, *([mode] if mode is not None else []), *positions, *tail]) + "\n"


def read(text):
    return FoundStructure("poscar", text).to_crystal("folder/POSCAR", "POSCAR")


SALT = read(poscar())


def moved(lattice, positions, by=1.0):
    """Cartesian positions of fractional ones, divided by a factor."""
    vectors = np.array([line.split() for line in lattice], dtype=float)
    fractional = np.array([line.split() for line in positions], dtype=float)
    return [" ".join(f"{x:.12f}" for x in row) for row in fractional @ vectors / by]


AS_ASE_READS = {
    "direct": poscar(),
    "cartesian": poscar(mode="Cartesian", positions=moved(CUBIC, ROCK_SALT)),
    "mode k": poscar(mode="k", positions=moved(CUBIC, ROCK_SALT)),
    "mode c in lower case": poscar(mode="cart", positions=moved(CUBIC, ROCK_SALT)),
    "scaled cartesian": poscar(scale="5.64", lattice=["1 0 0", "0 1 0", "0 0 1"], mode="C", positions=ROCK_SALT),
    "volume, direct": poscar(scale="-179.406144", lattice=["5.5 0 0", "0 5.5 0", "0 0 5.5"]),
    "volume, cartesian": poscar(scale="-200", mode="Cartesian", positions=moved(CUBIC, ROCK_SALT)),
    "volume of a tilted cell, cartesian": poscar(
        scale="-91.5", lattice=TILTED, mode="Cartesian", positions=moved(TILTED, ROCK_SALT)
    ),
    "three scales": poscar(scale="1.1 0.9 1.3"),
    "three scales, cartesian": poscar(scale="1.1 0.9 1.3", mode="Cartesian", positions=moved(CUBIC, ROCK_SALT)),
    "three scales of a tilted cell, cartesian": poscar(
        scale="1.1 0.9 1.3", lattice=TILTED, mode="Cartesian", positions=moved(TILTED, ROCK_SALT)
    ),
    "selective dynamics": poscar(mode="Selective dynamics\nDirect", positions=[f"{p} T F T" for p in ROCK_SALT]),
    "selective, cartesian": poscar(
        mode="selective\nCartesian", positions=[f"{p} F F F" for p in moved(CUBIC, ROCK_SALT)]
    ),
    "an element twice": poscar(names="Na Cl Na", counts="3 4 1"),
    "comment after the positions": poscar(positions=[f"{p} ! site" for p in ROCK_SALT]),
    "velocities": poscar(tail=["", *["0.1 0.2 0.3"] * 8]),
    "names of potentials": poscar(names="Na_pv Cl/3a7f"),
    "positions outside of the cell": poscar(positions=["-1 2 0", *ROCK_SALT[1:]]),
}

LIKE_SALT = {
    "exponents of Fortran": poscar(scale="1.0D0", lattice=["5.64D0 0 0", "0 0.564d+01 0", "0 0 564.0E-2"]),
    "exponents without a letter": poscar(lattice=["0.564+1 0 0", "0 5.64 0", "0 0 5.64"]),
    "plus signs": poscar(lattice=["+5.64 0 0", "0 +5.64 0", "0 0 5.64"]),
    "line ends of Windows": poscar().replace("\n", "\r\n"),
    "line ends of old Macs": poscar().replace("\n", "\r"),
    "no last line end": poscar().rstrip(),
    "tabs": poscar(lattice=["5.64\t0\t0", "0\t5.64\t0", "0\t0\t5.64"]),
    "blank comment": poscar().replace("comment", "", 1),
    "title in other letters": poscar().replace("comment", "Kristall — größer", 1),
    "blank line before the scale": poscar(scale="\n1.0"),
    "blank lines at the end": poscar() + "\n \n\n",
    "comments": poscar(scale="1.0 ! scale", names="Na Cl ! species", counts="4 4 # atoms"),
    "names in two lines": poscar(names="Na\nCl", counts="4\n4"),
    "counts in two lines": poscar(counts="4\n4"),
    "no atom of one element": poscar(names="Na O Cl", counts="4 0 4"),
    "fractional": poscar(mode="Fractional"),
    "names beside the positions": poscar(
        names=None, positions=[f"{p} {s}" for p, s in zip(ROCK_SALT, ["Na"] * 4 + ["Cl"] * 4, strict=True)]
    ),
    "left-handed cell": poscar(lattice=[CUBIC[1], CUBIC[0], CUBIC[2]], scale="-179.406144"),
    "lattice velocities": poscar(tail=["Lattice velocities and vectors", "1", *CUBIC, *CUBIC]),
    "names of potentials with variant and hash": poscar(names="Na_sv_GW/0a1b Cl_h"),
    "blank line among the positions": poscar(positions=[*ROCK_SALT[:4], "", *ROCK_SALT[4:]]),
}

REFUSED = {
    "no names": (poscar(names=None), "names of its elements are missing"),
    "no names but in the title": (poscar(names=None).replace("comment", "Na Cl"), "names of its elements are missing"),
    "capitals": (poscar(names="NA CL"), "'NA', which is none. Did you mean 'Na'?"),
    "lower case": (poscar(names="na cl"), "Did you mean 'Na'?"),
    "no element": (poscar(names="Na Xx"), "'Xx', which is none"),
    "vacancy": (poscar(names="Na Va"), "'Va', which is none"),
    "part of a hydrogen": (poscar(names="Na H.5"), "'H.5', which is none"),
    "more names": (poscar(names="Na Cl O"), "names 3 elements (Na Cl O) and has 2 numbers of atoms (4 4)"),
    "more counts": (poscar(counts="4 3 1"), "names 2 elements (Na Cl) and has 3 numbers"),
    "few positions": (poscar(counts="4 5"), "it has 8 positions, and its numbers of atoms add up to 9"),
    "many positions": (poscar(counts="4 3"), "more positions than the 7"),
    "velocities are no positions": (poscar(counts="4 5", tail=["", *["0.1 0.2 0.3"] * 8]), "blank line among its 9"),
    "empty mode": (poscar(mode=""), "line 8 should say 'Direct' or 'Cartesian', and is ''"),
    "no mode": (poscar(mode=None), "line 8 should say 'Direct' or 'Cartesian', and is '0 0 0'"),
    "no mode after selective dynamics": (poscar(mode="Selective dynamics"), "line 9 should say 'Direct'"),
    "unknown mode": (poscar(mode="Angstrom"), "and is 'Angstrom'"),
    "two scales": (poscar(scale="1.0 2.0"), "line 2 should be the scale, one number or three"),
    "four scales": (poscar(scale="1 1 1 1"), "line 2 should be the scale"),
    "scale of 0": (poscar(scale="0"), "has the scale '0'"),
    "negative of three scales": (poscar(scale="1 -1 1"), "three are positive"),
    "no scale": (poscar(scale="Na Cl"), "line 2 should be the scale"),
    "short lattice vector": (poscar(lattice=["5.64 0", *CUBIC[1:]]), "line 3 should be lattice vector a"),
    "two lattice vectors": (poscar(lattice=CUBIC[:2]), "line 5 should be lattice vector c"),
    "decimal comma": (poscar(lattice=["5,64 0 0", *CUBIC[1:]]), "'5,64 0 0'"),
    "volume of a flat cell": (poscar(scale="-10", lattice=[CUBIC[0], CUBIC[0], CUBIC[2]]), "volume of 0"),
    "flat cell": (poscar(lattice=[CUBIC[0], CUBIC[0], CUBIC[2]], mode="Cartesian"), "volume of 0"),
    "short position": (poscar(positions=["0 0", *ROCK_SALT[1:]]), "line 9 should be a position"),
    "position of no number": (poscar(positions=["0 0 nan", *ROCK_SALT[1:]]), "line 9 should be a position"),
    "counts with fractions": (poscar(counts="4.0 4.0"), "line 7 should have the numbers of atoms"),
    "negative counts": (poscar(counts="-4 4"), "numbers of atoms"),
    "no atoms": (poscar(counts="0 0", positions=[]), "it has no atoms"),
    "names that contradict each other": (
        poscar(positions=[f"{p} {s}" for p, s in zip(ROCK_SALT, ["Cl"] * 4 + ["Na"] * 4, strict=True)]),
        "position 1 is Na by the line of names, and Cl beside it",
    ),
    "end after the counts": ("\n".join(poscar().splitlines()[:7]), "line 8 should say"),
    "end after the lattice": ("\n".join(poscar().splitlines()[:5]), "numbers of atoms"),
    "empty": ("", "line 2 should be the scale"),
}


@pytest.mark.parametrize("text", AS_ASE_READS.values(), ids=AS_ASE_READS)
def test_the_crystal_is_the_one_that_ase_reads(text):
    crystal, theirs = read(text), from_ase(ase_read(io.StringIO(text), format="vasp"), "POSCAR")
    np.testing.assert_array_equal(crystal.species, theirs.species)
    np.testing.assert_allclose(crystal.lattice, theirs.lattice, rtol=1e-12)
    difference = crystal.frac - theirs.frac
    np.testing.assert_allclose(difference - np.round(difference), 0, atol=1e-9)


@pytest.mark.parametrize("text", LIKE_SALT.values(), ids=LIKE_SALT)
def test_other_ways_to_write_one_crystal(text):
    crystal = read(text)
    assert (crystal.formula, crystal.n_atoms) == ("ClNa", 8)
    assert crystal.volume == pytest.approx(5.64**3)
    np.testing.assert_allclose(sorted(crystal.frac.tolist()), sorted(SALT.frac.tolist()))
    assert crystal.symbols == SALT.symbols


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said(text, said):
    with pytest.raises(InvalidCrystalError) as caught:
        read(text)
    message = str(caught.value)
    assert message.startswith("folder/POSCAR holds no valid crystal:")
    assert said in message
    assert "index" not in message
    assert "cannot be parsed" not in message


def test_deuterium_is_hydrogen():
    assert read(poscar(names="D Cl")).formula == "ClH"


@pytest.mark.parametrize("direct", [True, False])
def test_what_pymatgen_writes_is_read(direct):
    lattice = Lattice(np.array([line.split() for line in TILTED], dtype=float))
    structure = Structure(lattice, ["Na", "Cl", "O"], [[0, 0, 0], [0.3, 0.4, 0.5], [0.7, 0.1, 0.9]])
    poscar = Poscar(structure, selective_dynamics=[[True, False, True]] * 3, velocities=[[0.1, 0.2, 0.3]] * 3)
    crystal = read(poscar.get_str(direct=direct, significant_figures=12))
    np.testing.assert_allclose(crystal.frac, structure.frac_coords, atol=1e-9)
    assert crystal.symbols == ("Na", "Cl", "O")
    assert_same_crystal(read(poscar.get_str(direct=True)), read(poscar.get_str(direct=True).replace("\n", "\r\n")))
