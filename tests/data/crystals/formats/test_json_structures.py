"""Structures in JSON are the crystal that they state, or are refused: occupancies, periodicity, contradictions."""

import json
from copy import deepcopy

import pytest
from pymatgen.core import Lattice, PeriodicSite, Structure

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.formats.ase_json import from_ase_json
from phase2.data.crystals.formats.jarvis import from_jarvis
from phase2.data.crystals.formats.optimade import from_optimade
from phase2.data.crystals.formats.pymatgen import from_pymatgen
from phase2.data.crystals.formats.pymatgen_json import from_pymatgen_json
from phase2.data.crystals.formats.records import convert_record, find_structure
from phase2.errors import InvalidCrystalError
from phase2.testing.crystals import assert_same_crystal

LATTICE = [[4.0, 0.0, 0.0], [0.5, 5.0, 0.0], [0.25, 0.75, 6.0]]
FRAC = [[0.0, 0.0, 0.0], [0.5, 0.25, 0.125], [0.25, 0.5, 0.75]]
ELEMENTS = ["Na", "Cl", "O"]
CRYSTAL = Crystal.checked("x", ELEMENTS, FRAC, LATTICE)
STRUCTURE = Structure(Lattice(LATTICE), ELEMENTS, FRAC)
PYMATGEN = json.loads(json.dumps(STRUCTURE.as_dict()))
OPTIMADE = {
    "lattice_vectors": LATTICE,
    "cartesian_site_positions": CRYSTAL.cartesian.tolist(),
    "species_at_sites": ["kation", "Cl", "O"],
    "species": [
        {"name": name, "chemical_symbols": [symbol], "concentration": [1.0]}
        for name, symbol in zip(["kation", "Cl", "O"], ELEMENTS, strict=True)
    ],
    "dimension_types": [1, 1, 1],
    "nperiodic_dimensions": 3,
    "nsites": 3,
    "structure_features": [],
}
ASE = {"numbers": [11, 17, 8], "positions": CRYSTAL.cartesian.tolist(), "cell": LATTICE, "pbc": [True] * 3}
JARVIS = {"lattice_mat": LATTICE, "coords": FRAC, "elements": ELEMENTS}
READERS = {
    "pymatgen": (from_pymatgen_json, PYMATGEN),
    "optimade": (from_optimade, OPTIMADE),
    "ase": (from_ase_json, ASE),
    "jarvis": (from_jarvis, JARVIS),
}


def read(kind, change=lambda _: None):
    reader, content = READERS[kind]
    changed = deepcopy(content)
    change(changed)
    return reader(changed, "x")


def setting(path, value):
    """Return a change of the value at a path of keys."""

    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


@pytest.mark.parametrize("kind", READERS)
def test_each_is_the_same_crystal(kind):
    assert_same_crystal(read(kind), CRYSTAL)
    assert read(kind).remarks == ()


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("pymatgen", ["lattice", "pbc"], [True, True, False], "2 of 3 directions"),
        ("pymatgen", ["lattice", "pbc"], "TTT", "not three times"),
        ("pymatgen", ["lattice", "a"], 9.0, "says a = 9, and its 'matrix' has a = 4"),
        ("pymatgen", ["lattice", "gamma"], 120, "says gamma = 120"),
        ("pymatgen", ["sites", 1, "xyz"], [0.0, 0.0, 1.0], "'abc' and 'xyz' of site 1"),
        ("pymatgen", ["sites", 1, "xyz"], [0.0, 0.0], "'xyz' of its sites"),
        ("pymatgen", ["sites", 0, "species", 0, "occu"], 0.5, "site 0 is disordered: it holds 0.5 Na"),
        ("pymatgen", ["sites", 0, "species", 0, "occu"], -1, "site 0 is disordered"),
        ("pymatgen", ["sites", 0, "species", 0, "occu"], None, "site 0 is disordered"),
        ("optimade", ["dimension_types"], [1, 1, 0], "2 of 3 directions"),
        ("optimade", ["nperiodic_dimensions"], 2, "'nperiodic_dimensions' is 2"),
        ("optimade", ["nsites"], 4, "'nsites' is 4, and 3"),
        ("optimade", ["structure_features"], ["implicit_atoms"], "implicit_atoms"),
        ("optimade", ["structure_features"], ["disorder", "unknown_positions"], "unknown_positions"),
        ("optimade", ["assemblies"], [{"sites_in_groups": [[0], [1]]}], "assemblies"),
        ("optimade", ["species_at_sites"], ["kation", "Cl", "N"], "'N', which is none of its species"),
        ("optimade", ["species", 1, "name"], "kation", "two of its species are called 'kation'"),
        ("optimade", ["species", 0, "attached"], ["H"], r"\['H'\] attached"),
        ("optimade", ["species", 0, "concentration"], [0.5], "0.5 Na"),
        ("optimade", ["species", 0, "concentration"], [0.5, 0.5], "the same length"),
        ("optimade", ["species", 0, "chemical_symbols"], "Na", "no lists"),
        ("ase", ["pbc"], [True, True], "three truth values"),
        ("ase", ["numbers"], [11.5, 17, 8], "no list of atomic numbers"),
        ("ase", ["numbers"], [11, None, 8], "no list of atomic numbers"),
        ("ase", ["numbers"], [[11], [17], [8]], "no list of atomic numbers"),
        ("jarvis", ["coords"], CRYSTAL.cartesian.tolist(), "'cartesian': true"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_or_is_no_whole_crystal_is_refused(kind, path, value, said):
    with pytest.raises(InvalidCrystalError, match=said):
        read(kind, setting(path, value))


def site(element, occupancy, abc=(0.1, 0.1, 0.9)):
    return {"species": [{"element": element, "occu": occupancy}], "abc": list(abc)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one["sites"].insert(0, site("K", 0)), "'K' of site 0"),
        (lambda one: one["sites"].append(site("X0+", 0.0)), "'X' of site 3"),
        (lambda one: one["sites"][1]["species"].append({"element": "K", "occu": 0}), "'K' of site 1"),
        (lambda one: one["sites"].append({"species": [], "abc": [0.1, 0.1, 0.9]}), "the vacancy at site 3"),
    ],
)
def test_the_occupancy_0_is_left_out_of_pymatgens_json_with_a_remark(change, said):
    crystal = read("pymatgen", change)
    assert_same_crystal(crystal, CRYSTAL)
    assert crystal.remarks == (f"1 atom(s) with the occupancy 0 are left out: {said}",)


def test_vacancies_of_optimade_are_left_out():
    def share(content):
        content["species"][0] |= {"chemical_symbols": ["Na", "vacancy"], "concentration": [1.0, 0.0]}

    assert read("optimade", share).remarks == ()
    assert_same_crystal(read("optimade", share), CRYSTAL)

    def empty(content):
        content["species"].append({"name": "hole", "chemical_symbols": ["vacancy"], "concentration": [1.0]})
        content["species_at_sites"].insert(0, "hole")
        content["cartesian_site_positions"].insert(0, [1.0, 1.0, 1.0])
        content["nsites"] = 4

    crystal = read("optimade", empty)
    assert_same_crystal(crystal, CRYSTAL)
    assert "the vacancy at site 0" in crystal.remarks[0]

    def half(content):
        content["species"][0] |= {"chemical_symbols": ["Na", "vacancy"], "concentration": [0.5, 0.5]}

    with pytest.raises(InvalidCrystalError, match=r"0\.5 Na \+ 0\.5 vacancy"):
        read("optimade", half)


def test_a_structure_of_vacancies_alone_is_refused():
    with pytest.raises(InvalidCrystalError, match="none of its 1 sites is occupied"):
        read("pymatgen", lambda one: one.update(sites=[site("K", 0)]))


def test_structures_of_pymatgen_are_read_as_their_json():
    vacant = STRUCTURE.copy()
    vacant.append(PeriodicSite({"K": 0.0}, [0.1, 0.1, 0.9], vacant.lattice).species, [0.1, 0.1, 0.9])
    crystal = from_pymatgen(vacant, "x")
    assert_same_crystal(crystal, CRYSTAL)
    assert len(crystal.remarks) == 1
    slab = Structure(Lattice(LATTICE, pbc=(True, True, False)), ELEMENTS, FRAC)
    with pytest.raises(InvalidCrystalError, match="2 of 3 directions"):
        from_pymatgen(slab, "x")


def test_an_initial_structure_does_not_stand_for_one_that_is_missing():
    for record in ({"structure": None, "initial_structure": PYMATGEN}, {"cif": "", "other": PYMATGEN}):
        assert find_structure(record) is None
    assert find_structure({"relaxed": PYMATGEN}) is not None


@pytest.mark.parametrize("record", [{"structure": PYMATGEN}, {"atoms": {**JARVIS, "cartesian": False}}])
def test_a_deprecated_document_is_remarked(record):
    for deprecated, remarks in ((True, ("its record says that it is deprecated",)), (False, ()), (None, ())):
        crystal = convert_record({"material_id": "mp-1", "deprecated": deprecated, **record}, "a file", "x")
        assert_same_crystal(crystal, CRYSTAL)
        assert crystal.remarks == remarks


def test_fractions_that_say_nothing_of_their_kind_may_lie_in_the_next_cell():
    assert read("jarvis", setting(["coords"], [[0, 0, 1.0], [-0.5, 0.25, 0.125], [0.25, 0.5, 1.75]])).n_atoms == 3
