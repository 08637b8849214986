"""Every reader gives the same crystal, and says which file and which site is wrong."""

import contextlib
import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import DummySpecies, Lattice, Structure

from phase2.data.crystals.formats.jarvis import from_jarvis
from phase2.data.crystals.formats.pymatgen import from_pymatgen
from phase2.data.crystals.readers import is_structure_file, read_structure
from phase2.errors import DataError, InvalidCrystalError
from phase2.testing.crystals import assert_same_crystal

LATTICE = [[4.0, 0.0, 0.0], [0.5, 5.0, 0.0], [0.25, 0.75, 6.0]]
ATOMS = {
    "lattice_mat": LATTICE,
    "coords": [[0.0, 0.0, 0.0], [0.5, 0.25, 0.125]],
    "elements": ["Na", "Cl"],
    "cartesian": False,
}
CIF = """data_NaCl
_cell_length_a 4.2
_cell_length_b 4.2
_cell_length_c 4.2
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
_chemical_formula_sum '{formula}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
{sites}
"""
POSCAR = """salt
1.0
4.2 0 0
0 4.2 0
0 0 4.2
Na Cl
1 1
direct
0 0 0
0.5 0.5 0.5
"""


def cif(*sites, formula="Na1 Cl1"):
    return CIF.format(formula=formula, sites="\n".join(sites))


SALT = cif("Na1 Na 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 1")


@pytest.fixture(autouse=True)
def _no_warnings_reach_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


class TestRoundTrips:
    def test_pymatgen(self):
        crystal = from_jarvis(ATOMS, "x")
        assert_same_crystal(from_pymatgen(crystal.to_pymatgen(), "x"), crystal)

    @pytest.mark.parametrize(
        ("name", "fmt"), [("a.cif", "cif"), ("POSCAR", "poscar"), ("a.vasp", "poscar"), ("CONTCAR_3", "poscar")]
    )
    def test_files(self, tmp_path, name, fmt):
        crystal = from_jarvis(ATOMS, "x")
        path = tmp_path / name
        path.write_text(crystal.to_pymatgen().to(fmt=fmt))
        again = read_structure(path)
        assert again.id == name
        assert again.formula == "ClNa"
        # A CIF keeps lengths and angles, not the orientation: compare distances.
        ours, theirs = crystal.to_pymatgen().distance_matrix, again.to_pymatgen().distance_matrix
        np.testing.assert_allclose(ours, theirs, atol=1e-5)

    @pytest.mark.parametrize("content", [{"jid": "q", "atoms": ATOMS}, ATOMS])
    def test_json(self, tmp_path, content):
        path = tmp_path / "a.json"
        path.write_text(json.dumps(content))
        assert_same_crystal(read_structure(path, "mine"), from_jarvis(ATOMS))
        assert read_structure(path, "mine").id == "mine"

    def test_the_cell_is_kept_and_symmetry_applied(self, tmp_path):
        structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        path = tmp_path / "salt.cif"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the writer's own
            path.write_text(structure.to(fmt="cif", symprec=1e-3))
        assert "F m -3 m" in path.read_text() or "Fm-3m" in path.read_text()
        assert read_structure(path).n_atoms == 8

    def test_oxidation_states_and_deuterium_are_dropped(self):
        structure = Structure(Lattice.cubic(4), ["Na+", "D"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        assert from_pymatgen(structure, "x").symbols == ("Na", "H")


class TestRefusedFiles:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (cif("Na1 Na 0 0 0 0.5", "Cl1 Cl 0.5 0.5 0.5 1"), "site 'Na1' is disordered: it holds 0.5 Na"),
            (cif("Na1 Na 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 0.5", "Br1 Br 0.5 0.5 0.5 0.5"), "site 'Cl1' is disordered"),
            (cif("Na1 Na 0 0 0 1", "K1 K 0 0 0 1"), "sites 'Na1' (Na) and 'K1' (K) are at one position"),
            (cif("Na1 Na 0 0 0 1", "Na2 Na 0 0 0 1", formula="Na1"), "at one position"),
            (SALT + SALT.replace("data_NaCl", "data_again"), "2 structures"),
            (cif("Na1 Na 0 0 0 1", formula="Na1 Cl1"), "do not fit its formula"),
            (SALT[: SALT.index("loop_")], "no atom sites"),
            (SALT.replace("_cell_length_a 4.2\n", ""), "_cell_length_a"),
            (SALT.replace("_cell_length_a 4.2\n", "_cell_length_a 0\n"), "a.cif"),
            (SALT + "0.5", "a.cif"),
            ("", "a.cif"),
            ("no crystal at all", "a.cif"),
        ],
    )
    def test_cif(self, tmp_path, text, said):
        path = tmp_path / "a.cif"
        path.write_text(text)
        with pytest.raises(InvalidCrystalError) as caught:
            read_structure(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)  # one line of a table, though pymatgen's own messages have several
        assert said in str(caught.value)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (POSCAR.replace("Na Cl\n", ""), "POSCAR"),
            (POSCAR.replace("Na Cl", "Na Xx"), "Xx"),
            (POSCAR[: POSCAR.index("0.5")], "it has 1 positions"),
            (POSCAR.replace("4.2 0 0", "4.2 0"), "line 3"),
            (POSCAR.replace("0 0 4.2", "0 4.2 0"), "volume of 0"),
            ("", "line 2"),
        ],
    )
    def test_poscar(self, tmp_path, text, said):
        path = tmp_path / "POSCAR"
        path.write_text(text)
        with pytest.raises(InvalidCrystalError) as caught:
            read_structure(path)
        assert str(path) in str(caught.value)
        assert said in str(caught.value)

    def test_dummy_species(self):
        structure = Structure(Lattice.cubic(4), [DummySpecies("X")], [[0, 0, 0]])
        with pytest.raises(InvalidCrystalError, match="site 0 holds the dummy species"):
            from_pymatgen(structure, "x")

    @pytest.mark.parametrize("name", ["a.cif", "POSCAR", "a.json"])
    @pytest.mark.parametrize("content", [b"\x00\x01\x02", "data_é".encode("utf-16"), b"\xff\xfe\xfd", b"{", b"[1]"])
    def test_binary_and_foreign_files_are_named(self, tmp_path, name, content):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError, match=name):
            read_structure(path)

    def test_unknown_suffix_and_missing_file(self, tmp_path):
        with pytest.raises(DataError, match="no known structure format"):
            read_structure(tmp_path / "a.xyz")
        for name in ("a.cif", "POSCAR", "a.json"):
            with pytest.raises(DataError, match="No such file"):
                read_structure(tmp_path / name)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(cut=st.integers(0, len(SALT)), noise=st.text(max_size=8), into=st.integers(0, len(SALT)))
    def test_damage_never_ends_in_another_error(self, tmp_path, cut, noise, into):
        for name, text in (("a.cif", SALT), ("POSCAR", POSCAR)):
            path = tmp_path / name
            damaged = text[:into] + noise + text[into : max(into, cut)]
            path.write_text(damaged, encoding="utf-8", errors="replace")
            with contextlib.suppress(DataError):
                assert read_structure(path).n_atoms > 0


def test_good_files_as_written_by_people(tmp_path):
    path = tmp_path / "salt.cif"
    path.write_bytes(b"\xef\xbb\xbf" + SALT.encode())
    assert read_structure(path).formula == "ClNa"
    path.write_bytes(b"# Universit\xe4t\n" + SALT.encode())
    assert read_structure(path).formula == "ClNa"
    poscar = tmp_path / "POSCAR"
    poscar.write_text(POSCAR.replace("1.0", "-74.088"))
    assert read_structure(poscar).volume == pytest.approx(74.088)


def test_structure_files_by_name(tmp_path):
    yes = ["a.cif", "A.CIF", "POSCAR", "POSCAR_1", "CONTCAR", "x.vasp", "x.poscar", "x.json"]
    assert all(is_structure_file(tmp_path / name) for name in yes)
    assert not any(is_structure_file(tmp_path / name) for name in ["a.csv", "README", "a.xyz"])
