"""The symmetry of a CIF is the one that it states, or the file is refused with what contradicts what."""

import gemmi
import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.errors import InvalidCrystalError

from .cif_texts import CUBIC, F_CENTRED, HEXAGONAL, cif, hall, number, symbol

LISTED = tuple(
    f"{element}{k} {element} {x} {y} {z}"
    for element, shift in (("Na", 0), ("Cl", 0.5))
    for k, (x, y, z) in enumerate([(shift, 0, 0), (shift, 0.5, 0.5), (0.5 + shift, 0, 0.5), (0.5 + shift, 0.5, 0)])
)
FM3M = tuple(op.triplet() for op in gemmi.SpaceGroup("F m -3 m").operations())
GENERAL = ("Na1 Na 0.1234 0.2731 0.3917",)
RHOMBOHEDRAL = (4.0, 4.0, 4.0, 55, 55, 55)
DIAMOND = (5.43, 5.43, 5.43, 90, 90, 90)
ORTHORHOMBIC = (5.1, 6.2, 7.3, 90, 90, 90)


def read(text):
    return FoundStructure("cif", text).to_crystal("folder/a.cif", "a")


def ops(xhm):
    return tuple(op.triplet() for op in gemmi.SpaceGroup(xhm).operations())


SALT = {
    "operators": cif(symbol("F m -3 m"), number(225), operators=FM3M),
    "operators alone": cif(operators=FM3M),
    "Hall symbol": cif(hall("-F 4 2 3")),
    "Hall symbol of the new dictionary": cif("_space_group_name_Hall '-F 4 2 3'"),
    "H-M symbol": cif(symbol("F m -3 m")),
    "H-M symbol of the new dictionary": cif("_space_group_name_H-M_alt 'Fm-3m'"),
    "old H-M symbol": cif(symbol("F m 3 m")),
    "number": cif(number(225)),
    "number of the new dictionary": cif("_space_group_IT_number 225"),
    "unknown symbol and number": cif(symbol("?"), number(225)),
    "symbol with its number": cif(symbol("F m -3 m (225)")),
    "multiplicities": cif(
        symbol("F m -3 m"),
        columns=("label", "type_symbol", "symmetry_multiplicity", "fract_x", "fract_y", "fract_z"),
        sites=("Na1 Na 4 0 0 0", "Cl1 Cl 4 0.5 0.5 0.5"),
    ),
    "orders of site symmetry": cif(
        symbol("F m -3 m"),
        columns=("label", "type_symbol", "symmetry_multiplicity", "fract_x", "fract_y", "fract_z"),
        sites=("Na1 Na 48 0 0 0", "Cl1 Cl 48 0.5 0.5 0.5"),
    ),
    "formula, units and density": cif(
        number(225), "_chemical_formula_sum 'Na Cl'", "_cell_formula_units_Z 4", "_exptl_crystal_density_diffrn 2.16"
    ),
    "contents of the cell as the formula": cif(
        number(225), "_chemical_formula_sum 'Na4 Cl4'", "_cell_formula_units_Z 4"
    ),
    "all sites with the operator x,y,z": cif(symbol("F m -3 m"), number(225), operators=["x,y,z"], sites=LISTED),
    "all sites with all operators": cif(symbol("F m -3 m"), operators=FM3M, sites=LISTED),
    "all sites as P 1": cif(symbol("P 1"), number(1), operators=["x,y,z"], sites=LISTED),
    "all sites without symmetry": cif(sites=LISTED),
    "volume": cif(number(225), "_cell_volume 179.41(3)"),
    "other spelling of operators": cif(operators=[f" {one.upper().replace(',', ' , ')}" for one in FM3M]),
    "decimal operators": cif(number(225), operators=[one.replace("1/2", "0.5") for one in FM3M]),
}

CONTRADICTIONS = {
    "identity and H-M symbol": (cif(symbol("F m -3 m"), operators=["x,y,z"]), "is 'F m -3 m'"),
    "identity and number": (cif(number(225), operators=["x,y,z"]), "Int_Tables_number is '225'"),
    "identity and Hall symbol": (cif(hall("-F 4 2 3"), operators=["x,y,z"]), "Hall is '-F 4 2 3'"),
    "centring alone and H-M symbol": (
        cif(symbol("F m -3 m"), operators=F_CENTRED, sites=("Na1 Na 0 0 0", "Cl1 Cl 0.25 0.25 0.3")),
        "lists 4 operators",
    ),
    "full operators and P 1": (cif(symbol("P 1"), operators=FM3M), "is 'P 1'"),
    "full operators and another number": (
        cif(number(216), operators=FM3M, sites=("Na1 Na 0.1 0.1 0.1",)), "number is '216'",
    ),
    "symbol and number": (cif(symbol("P 1"), number(225)), "'P 1', and"),
    "Hall and H-M symbol": (cif(hall("-F 4 2 3"), symbol("P m -3 m")), "is 'P m -3 m'"),
    "old and new number": (cif(number(225), "_space_group_IT_number 1"), "_space_group_IT_number is '1'"),
    "settings of the axes": (
        cif(symbol("P b n m"), cell=ORTHORHOMBIC, operators=ops("P n m a"), sites=GENERAL), "is 'P b n m'",
    ),
    "origin choices": (
        cif(symbol("F d -3 m:1"), cell=DIAMOND, operators=ops("F d -3 m:2"), sites=("C1 C 0.125 0.125 0.125",)),
        "is 'F d -3 m:1'",
    ),
    "rhombohedral symbol and hexagonal operators": (
        cif(symbol("R -3 m:R"), cell=HEXAGONAL, operators=ops("R -3 m:H"), sites=GENERAL), "is 'R -3 m:R'",
    ),
    "cubic symbol and a tetragonal cell": (cif(symbol("F m -3 m"), cell=(5, 5, 6, 90, 90, 90)), "contradicts its cell"),
    "cubic operators and a tetragonal cell": (cif(operators=FM3M, cell=(5, 5, 6, 90, 90, 90)), "contradicts its cell"),
    "hexagonal symbol and a rectangular cell": (cif(symbol("P 63/m m c")), "contradicts its cell"),
    "formula units": (cif("_chemical_formula_sum 'Na Cl'", "_cell_formula_units_Z 4"), "_cell_formula_units_Z is 4"),
    "fewer formula units": (
        cif(number(225), "_chemical_formula_sum 'Na Cl'", "_cell_formula_units_Z 1"), "_cell_formula_units_Z is 1",
    ),
    "contents of the cell": (cif("_chemical_formula_sum 'Na4 Cl4'"), "no whole number of such units"),
    "formula": (cif(number(225), "_chemical_formula_sum 'Na2 Cl'"), "do not fit its formula"),
    "element of the formula": (cif(number(225), "_chemical_formula_sum 'Na Cl O3'"), "do not fit its formula"),
    "density": (cif("_exptl_crystal_density_diffrn 2.16"), "_exptl_crystal_density_diffrn is 2.16"),
    "measured density": (cif("_exptl_crystal_density_meas 2.1"), "_exptl_crystal_density_meas is 2.1"),
    "multiplicities": (
        cif(
            symbol("P 1"),
            operators=["x,y,z"],
            columns=("label", "type_symbol", "site_symmetry_multiplicity", "fract_x", "fract_y", "fract_z"),
            sites=("Na1 Na 4 0 0 0", "Cl1 Cl 4 0.5 0.5 0.5"),
        ),
        "site 'Na1' has the multiplicity 4",
    ),
    "volume": (cif(number(225), "_cell_volume 44.85"), "_cell_volume says 44.85"),
    "operators that are no group": (cif(operators=["x,y,z", "x,y+1/2,z", "x,y,z+1/2"]), "are no group"),
    "operators without the identity": (cif(operators=["-x,-y,-z"]), "are no group"),
    "operators without an end": (cif(operators=["x,y,z", "x+y,y,z"]), "symmetry"),
    "two lists of operators": (
        cif("loop_\n_space_group_symop_operation_xyz\nx,y,z\n-x,-y,-z", operators=["x,y,z"]), "contradicts itself",
    ),
    "an operator that is none": (cif(operators=["x,y,z", "x,y"]), "operator cannot be read"),
    "number of no group": (cif(number(231)), "expected the number of a space group"),
    "unknown symbol alone": (cif(symbol("Fm3m-ish")), "its symmetry is not known"),
    "unknown Hall symbol alone": (cif(hall("Q 4 2")), "its symmetry is not known"),
    "crystal system alone": (cif("_symmetry_cell_setting cubic"), "its symmetry is not known"),
    "magnetic symbol alone": (cif('_space_group_magn.name_BNS "P_I n n m"'), "its symmetry is not known"),
    "open origin": (
        cif(symbol("F d -3 m"), cell=DIAMOND, sites=("C1 C 0.2 0.2 0.2",)), "may be F d -3 m:1 or F d -3 m:2",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def right():
    """Rock salt, as pymatgen builds it, which takes seconds."""
    return Structure.from_spacegroup(225, Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize("text", SALT.values(), ids=SALT)
def test_one_crystal_of_many_files(text, right):
    crystal = read(text)
    assert (crystal.formula, crystal.n_atoms) == ("ClNa", 8)
    nearest = np.sort(crystal.to_pymatgen().distance_matrix, axis=1)[:, 1:]
    np.testing.assert_allclose(nearest, np.sort(right.distance_matrix, axis=1)[:, 1:], atol=1e-9)


@pytest.mark.parametrize(("text", "said"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_contradictions_are_refused(text, said):
    with pytest.raises(InvalidCrystalError) as caught:
        read(text)
    assert str(caught.value).startswith("folder/a.cif holds no valid crystal:")
    assert said in str(caught.value)
    assert "cannot be parsed" not in str(caught.value)


def cell_for(entry):
    """Cell that a setting fits, as general as it may be."""
    cells = [
        (4.1, 5.2, 6.3, 81, 97, 104),
        (4.1, 5.2, 6.3, 90, 97, 90),
        (4.1, 5.2, 6.3, 90, 90, 104),
        (4.1, 5.2, 6.3, 81, 90, 90),
        ORTHORHOMBIC,
        *[(*lengths, 90, 90, 90) for lengths in ((5.1, 5.1, 7.3), (5.1, 7.3, 5.1), (7.3, 5.1, 5.1))],
        HEXAGONAL,
        RHOMBOHEDRAL,
        CUBIC,
    ]
    for cell in cells:
        metric = np.array(gemmi.UnitCell(*cell).orth.mat.tolist())
        metric = metric.T @ metric
        rotations = [np.array(op.rot) / op.DEN for op in entry.operations()]
        if all(np.allclose(r.T @ metric @ r, metric, atol=1e-6) for r in rotations):
            return cell
    return None


@pytest.mark.slow
def test_every_setting_is_the_same_by_operators_hall_symbol_and_symbol():
    """Right values are gemmi's numbers of operators; the Hall symbol fixes the operators, so does the symbol."""
    seen = 0
    for entry in gemmi.spacegroup_table():
        cell = cell_for(entry)
        if cell is None:
            continue
        seen += 1
        texts = [
            cif(hall(entry.hall), cell=cell, sites=GENERAL),
            cif(symbol(entry.xhm()), cell=cell, sites=GENERAL),
        ]
        crystals = [read(text) for text in texts]
        assert {crystal.n_atoms for crystal in crystals} == {len(list(entry.operations()))}, entry.xhm()
        if seen % 16 == 0:  # operators too, which are slow to write
            listed = cif(symbol(entry.xhm()), hall(entry.hall), cell=cell, operators=ops(entry.xhm()), sites=GENERAL)
            crystals.append(read(listed))
        first, *others = (np.sort(np.round(c.frac, 6) % 1, axis=0) for c in crystals)
        for other in others:
            np.testing.assert_allclose(other, first, atol=1e-5)
    assert seen > 500


@pytest.mark.parametrize(
    ("setting", "site", "atoms"),
    [
        ("F d -3 m:1", "C1 C 0 0 0", 8),
        ("F d -3 m:2", "C1 C 0.125 0.125 0.125", 8),
        ("F d -3 m S", "C1 C 0 0 0", 8),
        ("F d -3 m Z", "C1 C 0.125 0.125 0.125", 8),
        ("F d -3 m Z", "C1 C 0 0 0", 16),
        ("F d 3 m :2", "C1 C 0.125 0.125 0.125", 8),
    ],
)
def test_origin_choices_are_honoured(setting, site, atoms):
    assert read(cif(symbol(setting), cell=DIAMOND, sites=(site,))).n_atoms == atoms


@pytest.mark.parametrize("setting", ["R -3 m", "R -3 m:R", "R -3 m R", "R-3m"])
def test_rhombohedral_axes_follow_from_symbol_or_cell(setting):
    crystal = read(cif(symbol(setting), cell=RHOMBOHEDRAL, sites=("Bi1 Bi 0.234 0.234 0.234",)))
    assert crystal.n_atoms == 2
    if not setting.endswith("R"):
        crystal = read(cif(symbol(setting), cell=HEXAGONAL, sites=("Bi1 Bi 0 0 0.234",)))
        assert crystal.n_atoms == 6


@pytest.mark.parametrize(("evidence", "atoms"), [("_cell_formula_units_Z 8", 8), ("_cell_formula_units_Z 16", 16)])
def test_contents_decide_where_the_symbol_leaves_the_origin_open(evidence, atoms):
    text = cif(symbol("F d -3 m"), "_chemical_formula_sum C", evidence, cell=DIAMOND, sites=("C1 C 0 0 0",))
    assert read(text).n_atoms == atoms


def test_contents_decide_between_the_axes_of_operators_and_of_a_symbol():
    """pymatgen writes the standard symbol beside operators in the setting of the cell, with ``refine_struct=False``."""
    sites, operators = ("Fe1 Fe 0 0 0", "O1 O 0.1 0.2 0.25"), ops("P b n m")  # at a mirror of Pbnm, at none of Pnma
    lines = symbol("P n m a"), "_chemical_formula_sum 'Fe O'", "_cell_formula_units_Z 4"
    assert read(cif(*lines, cell=ORTHORHOMBIC, operators=operators, sites=sites)).n_atoms == 8
    with pytest.raises(InvalidCrystalError, match="contradicts itself"):
        read(cif(lines[0], cell=ORTHORHOMBIC, operators=operators, sites=sites))
    with pytest.raises(InvalidCrystalError, match="contradicts itself"):
        read(cif(symbol("P n n m"), *lines[1:], cell=ORTHORHOMBIC, operators=operators, sites=sites))


@pytest.mark.parametrize("lines", [("'N4'", 2), ("'N4'", 1), ("'N2'", 2), ("N", 4), ("'N4'", 4)])
def test_formula_units_of_elements_are_molecules_or_atoms(lines):
    sites = [f"N{k} N 0.1 0.{k} 0.{2 * k}" for k in range(1, 5)]
    assert read(cif(f"_chemical_formula_sum {lines[0]}", f"_cell_formula_units_Z {lines[1]}", sites=sites)).n_atoms == 4


@pytest.mark.parametrize("text", ["P 21/c", "P21/c", "P 1 21/c 1", "P 2(1)/c", "P2_1/c", "P 2~1~/c"])
def test_spellings_of_a_symbol(text):
    assert read(cif(symbol(text), cell=(5, 6, 7, 90, 100, 90), sites=GENERAL)).n_atoms == 4


def test_the_unique_axis_of_a_short_symbol_follows_from_the_cell():
    assert read(cif(symbol("P 2/m"), cell=(5, 6, 7, 90, 90, 100), sites=GENERAL)).n_atoms == 4
    with pytest.raises(InvalidCrystalError, match="contradicts its cell"):
        read(cif(symbol("P 1 2/m 1"), cell=(5, 6, 7, 90, 90, 100), sites=GENERAL))


def test_a_primitive_cell_may_name_the_group_of_its_crystal():
    cell, sites = (3.84, 3.84, 3.84, 60, 60, 60), ("Si1 Si 0 0 0", "Si2 Si 0.25 0.25 0.25")
    assert read(cif(symbol("F d -3 m"), number(227), cell=cell, operators=["x,y,z"], sites=sites)).n_atoms == 2
    with pytest.raises(InvalidCrystalError, match="contradicts itself"):
        read(cif(symbol("F d -3 m"), number(227), cell=cell, operators=["x,y,z"], sites=sites[:1]))


@pytest.mark.parametrize(
    ("cell", "group", "sites", "formula"),
    [
        (HEXAGONAL, "P 63/m m c", ("Mo1 Mo 0.333 0.667 0.25", "S1 S 0.333 0.667 0.621"), {"Mo": 2, "S": 4}),
        (HEXAGONAL, "P 63/m m c", ("Mo1 Mo 0.33 0.67 0.25", "S1 S 0.33 0.67 0.621"), {"Mo": 2, "S": 4}),
        (HEXAGONAL, "P 63/m m c", ("Mo1 Mo 0.333 0.666 0.25", "S1 S 0.333 0.666 0.621"), {"Mo": 2, "S": 4}),
        (HEXAGONAL, "P 63/m m c", ("Mo1 Mo 0.3333 0.6667 0.25", "S1 S 0.3333(2) 0.6667(2) 0.621"), {"Mo": 2, "S": 4}),
        (HEXAGONAL, "P 63/m m c", ("Mo1 Mo 1.333 -.333 0.25", "S1 S 0.333 0.667 0.621"), {"Mo": 2, "S": 4}),
        ((3.25, 3.25, 5.2, 90, 90, 120), "P 63 m c", ("Zn1 Zn .333 .667 0", "O1 O .333 .667 .382"), {"Zn": 2, "O": 2}),
        ((4.76, 4.76, 12.99, 90, 90, 120), "R -3 c", ("Al1 Al 0 0 0.352", "O1 O 0.306 0 0.25"), {"Al": 12, "O": 18}),
        ((4.59, 4.59, 2.96, 90, 90, 90), "P 42/m n m", ("Ti1 Ti 0 0 0", "O1 O .305 .305 0"), {"Ti": 2, "O": 4}),
        ((4.91, 4.91, 5.4, 90, 90, 120), "P 32 2 1", ("Si1 Si .47 0 .667", "O1 O .413 .267 .786"), {"Si": 3, "O": 6}),
        # Images that are 0.1 angstrom apart and have four digits are two atoms.
        (CUBIC, "P -1", ("Na1 Na 0.0100 0.0100 0.0100", "Cl1 Cl 0.5 0.5 0.5"), {"Na": 2, "Cl": 1}),
        (CUBIC, "P -1", ("Na1 Na 0.005 0 0", "Cl1 Cl 0.5 0.5 0.5"), {"Na": 2, "Cl": 1}),
    ],
)
def test_images_merge_within_their_rounding(cell, group, sites, formula):
    crystal = read(cif(symbol(group), cell=cell, sites=sites))
    assert {s: crystal.symbols.count(s) for s in set(crystal.symbols)} == formula


def test_merged_images_are_where_they_agree_exactly():
    crystal = read(cif(symbol("P 63/m m c"), cell=HEXAGONAL, sites=("Mo1 Mo 0.333 0.667 0.25",)))
    np.testing.assert_allclose(sorted(crystal.frac[:, 0]), [1 / 3, 2 / 3], atol=1e-12)
