"""As many sites of a CIF are read as are written, of the elements that it names; others are refused by their labels."""

import io

import ase.io
import numpy as np
import pytest

from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.errors import InvalidCrystalError

from .cif_texts import COLUMNS, ROCK_SALT, cif, number, symbol

LABELLED = ("label", "fract_x", "fract_y", "fract_z")
OCCUPIED = (*COLUMNS, "occupancy")


def read(text):
    return FoundStructure("cif", text).to_crystal("folder/a.cif", "a")


def refused(text):
    with pytest.raises(InvalidCrystalError) as caught:
        read(text)
    assert str(caught.value).startswith("folder/a.cif holds no valid crystal:")
    assert len(str(caught.value)) < 1_000
    return str(caught.value)


@pytest.mark.parametrize(
    ("label", "element"),
    [
        ("Na1", "Na"), ("O1A", "O"), ("O", "O"), ("Fe2+", "Fe"), ("Cl-", "Cl"), ("C12B", "C"), ("O(1)", "O"),
        ("Ca_2", "Ca"), ("H1'", "H"), ("D1", "H"), ("Si*", "Si"), ("O1w", "O"), ("Co1", "Co"), ("Cs", "Cs"),
    ],
)  # fmt: skip
def test_labels_that_name_elements(label, element):
    crystal = read(cif(columns=LABELLED, sites=("K1 0 0 0", f"{label} 0.5 0.5 0.5")))
    assert crystal.symbols == ("K", element)


@pytest.mark.parametrize(
    "label",
    ["OH1", "OH", "NH4", "HO1", "Va1", "X1", "Wat1", "Ow", "Ow1", "CO3", "NO3", "M1", "Q1", "T1", "H2O", "D2O1", "Nh4",
     "Vac", "NA1", "CL1", "na1", "A1", "Me", "Lig", "Oh2", "1", "'?1'", "Dum1", "Cn", "SO4", "Hw"],
)  # fmt: skip
def test_labels_that_name_none_are_refused(label):
    said = refused(cif(columns=LABELLED, sites=("K1 0 0 0", f"{label} 0.5 0.5 0.5")))
    assert f"site '{label.strip(chr(39))}' has no type symbol, and its label names no element" in said
    assert "_atom_site_type_symbol" in said


@pytest.mark.parametrize(
    ("type_symbol", "element"),
    [
        ("Fe3+", "Fe"), ("O2-", "O"), ("Na+", "Na"), ("Fe+3", "Fe"), ("O-2", "O"), ("Sn0+", "Sn"), ("Fe2.5+", "Fe"),
        ("Cl1-", "Cl"), ("D", "H"), ("CL", "Cl"), ("na", "Na"), ("o", "O"), ("'Fe3+'", "Fe"), ("Fe3", "Fe"),
        ("FE", "Fe"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("label", ["OH1", "X1"])
def test_type_symbols_decide_whatever_the_label_says(label, type_symbol, element):
    crystal = read(cif(sites=("K1 K 0 0 0", f"{label} {type_symbol} 0.5 0.5 0.5")))
    assert crystal.symbols == ("K", element)


@pytest.mark.parametrize(
    "type_symbol",
    [
        "OH",
        "NH4",
        "Va",
        "X",
        "Wat",
        "Ow",
        "CO",
        "co",
        "HO",
        "H2O",
        "FeNi",
        "Q",
        "dummy",
        "H2",
        "O2",
        "Vac",
        "M",
        "CH3",
        "??",
        "0",
    ],
)
def test_type_symbols_that_are_no_elements_are_refused(type_symbol):
    said = refused(cif(sites=("K1 K 0 0 0", f"O1 {type_symbol} 0.5 0.5 0.5")))
    assert f"site 'O1' has the type symbol '{type_symbol}', which is no chemical element" in said


@pytest.mark.parametrize("missing", [".", "?"])
def test_a_missing_type_symbol_leaves_the_label(missing):
    assert read(cif(sites=("K1 K 0 0 0", f"Cl1 {missing} 0.5 0.5 0.5"))).symbols == ("K", "Cl")
    assert "site 'OH1'" in refused(cif(sites=("K1 K 0 0 0", f"OH1 {missing} 0.5 0.5 0.5")))


def test_a_label_is_not_needed_beside_a_type_symbol():
    columns = ("type_symbol", "fract_x", "fract_y", "fract_z")
    assert read(cif(columns=columns, sites=("K 0 0 0", "Cl 0.5 0.5 0.5"))).symbols == ("K", "Cl")
    assert "site 'number 2'" in refused(cif(columns=columns, sites=("K 0 0 0", "Va 0.5 0.5 0.5")))


@pytest.mark.parametrize(
    "value", ["?", ".", "1/0", "1/3/4", "/3", "0.5/2", "1/x", "0,5", "nan", "x", "0.5(", "~", "inf"]
)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_sites_without_a_position_are_named(value, axis):
    position = ["0.5"] * 3
    position[axis] = value
    said = refused(cif(sites=("K1 K 0 0 0", f"Cl7 Cl {' '.join(position)}")))
    assert "site 'Cl7' has" in said
    assert f"_atom_site_fract_{'xyz'[axis]}" in said


@pytest.mark.parametrize("value", ["1", "1.0", "1.", "1.00(3)", ".", "?", "0.9999", "1.0000(12)", "1e0"])
def test_occupancies_of_one_whole_atom(value):
    sites = ("Na1 Na 0 0 0 1", f"Cl1 Cl 0.5 0.5 0.5 {value}")
    assert read(cif(number(225), columns=OCCUPIED, sites=sites)).n_atoms == 8


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("-0.5", "has the occupancy '-0.5', expected 0 to 1"),
        ("1.5", "has the occupancy '1.5', expected 0 to 1"),
        ("2", "has the occupancy '2', expected 0 to 1"),
        ("-1", "has the occupancy '-1', expected 0 to 1"),
        ("100", "has the occupancy '100', expected 0 to 1"),
        ("one", "has the occupancy 'one', expected 0 to 1"),
        ("nan", "has the occupancy 'nan', expected 0 to 1"),
        ("0,5", "has the occupancy '0,5', expected 0 to 1"),
        ("0.5", "is disordered: it holds 0.5 Na"),
        ("0.98(3)", "is disordered: it holds 0.98 Na"),
        ("0.01", "is disordered: it holds 0.01 Na"),
    ],
)
def test_other_occupancies_are_refused_by_label(value, said):
    sites = ("Na1 Na 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 1", f"Na2 Na 0.25 0.25 0.25 {value}")
    assert f"site 'Na2' {said}" in refused(cif(number(225), columns=OCCUPIED, sites=sites))


@pytest.mark.parametrize("other", ["Na2 Na+", "K1 K", "Na1 Na"])
def test_partial_occupancies_that_add_up_to_one_are_disorder(other):
    sites = ("Na1 Na 0 0 0 0.5", f"{other} 0 0 0 0.5", "Cl1 Cl 0.5 0.5 0.5 1")
    assert "is disordered" in refused(cif(columns=OCCUPIED, sites=sites))


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("disorder_group", ("1", "2"), "alternatives of each other"),
        ("disorder_group", (".", "-1"), "alternatives of each other"),
        ("disorder_group", (".", "1"), ""),
        ("disorder_group", (".", "."), ""),
        ("calc_flag", ("d", "dum"), "site 'Cl1' is a dummy"),
        ("calc_flag", ("d", "calc"), ""),
        ("calc_flag", ("Uani", "c"), ""),
    ],
)
def test_alternatives_and_dummies(column, values, said):
    text = cif(columns=(*COLUMNS, column), sites=[f"{site} {v}" for site, v in zip(ROCK_SALT, values, strict=True)])
    if said:
        assert said in refused(text)
    else:
        assert read(text).n_atoms == 2


def test_sites_of_one_label_are_all_read():
    sites = ("O1 O 0 0 0", "O1 O 0.5 0.5 0", "O1 O 0.5 0 0.5", "O1 O 0 0.5 0.5")
    assert read(cif(sites=sites)).n_atoms == 4


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("Na1 Na 0 0 0", "sites 'Na1' (Na) and 'Na1' (Na) are at one position"),
        ("Na2 Na 1 0 -1", "sites 'Na1' (Na) and 'Na2' (Na) are at one position"),
        ("K1 K 0 0 0", "sites 'Na1' (Na) and 'K1' (K) are at one position"),
        ("K1 K 0.5 0.5 0", "sites 'Na1' (Na) and 'K1' (K) have images at one position"),
    ],
)
def test_two_atoms_at_one_position_are_refused(second, said):
    assert said in refused(cif(symbol("F m -3 m"), sites=("Na1 Na 0 0 0", second)))


class TestText:
    """What stands in a CIF besides the crystal."""

    @pytest.mark.parametrize(
        "line",
        [
            "_publ_section_comment\n;\n REM refined against\ndata_300K set\n;",
            "_publ_section_comment\n;\nloop_\n_atom_site_label\n_atom_site_fract_x\nC1 0.1\n;",
            "_publ_section_comment\n;\n_cell_length_a 99\n;",
            "_publ_section_comment\n;\nsave_x\nglobal_\nstop_\n;",
            "_publ_section_comment\n;it's 'quoted' and \"this\" too\n;",
            "_publ_author_name 'O'Neill, P.'",
            '_publ_author_name "d\'Arc"',
            "_publ_section_title 'data_y is no block'",
            "# data_y\n# loop_",
            "_publ_author_name 'M\u00fcller, K. \u2014 \u5f20'",
            "_journal_name M\u00fcller",
            "_journal_name_full ?\n_journal_volume .",
            "_empty_value\n_journal_year 1999",
            "loop_\n_publ_author_name\n'A'\n;\ndata_\n;\n\"B\"",
            "_exptl_special_details\n;\n\n\n;",
        ],
    )
    def test_is_left_alone(self, line):
        text = cif(line, number(225))
        assert (read(text).formula, read(text).n_atoms) == ("ClNa", 8)

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
    def test_line_ends(self, end):
        text = cif("_publ_section_comment\n;\n line\ndata_300K set\n;", number(225))
        assert read(text.replace("\n", end)).n_atoms == 8

    def test_comments_behind_values_and_standard_uncertainties(self):
        text = cif(number(225), sites=("Na1 Na 0 0 0 # first", "Cl1 Cl 0.5000(3) 0.5(1) .5"))
        text = text.replace("5.64\n", "5.6400(2) # a\n")
        assert read(text).volume == pytest.approx(5.64**3)

    def test_names_in_other_letters(self):
        text = cif(number(225)).replace("_cell_length_a", "_Cell_Length_A").replace("loop_", "LOOP_")
        assert read(text.replace("data_x", "DATA_x")).n_atoms == 8

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (cif("_x 'never closed"), "line 8"),
            (cif("_x\n;\nnever closed"), "unterminated text field"),
            (cif() + "0.5\n", "Wrong number of values in loop"),
            (cif().replace("data_x\n", ""), "line 1: expected block header"),
            ("#\\#CIF_2.0\n" + cif("_x [1 2 3]"), "it is CIF 2"),
            ("#\\#CIF_2.0\n" + cif('_x """a\nb"""'), "it is CIF 2"),
            ("", "it has no data block"),
            ("data_x\n_cell_length_a 5", "it has no atom sites"),
            (cif().replace("_cell_length_b 5.64\n", ""), "it has no _cell_length_b"),
            (cif().replace("_cell_angle_gamma 90\n", ""), "it has no _cell_angle_gamma"),
            (cif().replace("_cell_angle_gamma 90", "_cell_angle_gamma ?"), "it has no _cell_angle_gamma"),
            (cif(cell=(-5, 5, 5, 90, 90, 90)), "_cell_length_a is '-5'"),
            (cif(cell=(5, 5, 5, 90, 90, 180)), "_cell_angle_gamma is '180'"),
            (cif(cell=(5, 5, 5, 30, 40, 120)), "those of no cell"),
            (cif("_cell_length_a 6"), "gives _cell_length_a twice"),
            (cif() + "loop_\n_atom_site_label\n_atom_site_fract_x\nK1 0.1\n", "twice"),
            (cif(columns=("label", "type_symbol", "Cartn_x", "Cartn_y", "Cartn_z")), "Cartesian"),
            (cif(columns=COLUMNS[:-1], sites=("Na1 Na 0 0",)), "0 of _atom_site_fract_z"),
            (cif("_cell_modulation_dimension 1"), "modulated structure"),
        ],
    )
    def test_damage_is_said(self, text, said):
        assert said in refused(text)


class TestBlocks:
    def test_several_structures_are_refused_with_their_names(self):
        text = cif(name="first") + cif(name="second", sites=("Mg1 Mg 0 0 0", "O1 O 0.5 0.5 0.5"))
        assert "it holds 2 structures (first: Na Cl, second: Mg O)" in refused(text)

    @pytest.mark.parametrize("name", ["I", ""])
    def test_several_structures_of_one_name_are_refused(self, name):
        text = cif(name=name) + cif(name=name, sites=("Mg1 Mg 0 0 0", "O1 O 0.5 0.5 0.5"))
        assert "it holds 2 structures" in refused(text)

    def test_many_structures_are_counted(self):
        assert "it holds 40 structures" in refused("".join(cif(name=f"b{k}") for k in range(40)))

    @pytest.mark.parametrize(
        "other",
        ["data_global\n_publ_author_name 'A'\n", "data_x\n_journal_year 1999\n", "data_empty\n",
         "data_pattern\nloop_\n_pd_meas_counts_total\n1\n2\n", "data_no_rows\nloop_\n_atom_site_fract_x\n"],
    )  # fmt: skip
    @pytest.mark.parametrize("before", [True, False])
    def test_blocks_without_atoms_are_ignored(self, other, before):
        text = other + cif(number(225)) if before else cif(number(225)) + other
        assert read(text).n_atoms == 8


class TestDictionaries:
    def test_dotted_names(self):
        text = cif(number(225)).replace("_cell_", "_cell.").replace("_atom_site_", "_atom_site.")
        text = text.replace("_symmetry_Int", "_symmetry.Int")
        assert read(text).n_atoms == 8
        assert read("#\\#CIF_2.0\n" + text).n_atoms == 8

    @pytest.mark.parametrize(
        ("operations", "centrings", "site", "atoms"),
        [
            (["x,y,z,+1"], ["x,y,z,+1", "x,y+1/2,z+1/2,+1", "x+1/2,y,z+1/2,+1", "x+1/2,y+1/2,z,+1"], "O1 O .25 0 0", 8),
            (["x,y,z,+1"], ["x,y,z,+1", "x+1/2,y+1/2,z+1/2,-1"], "O1 O .5 .5 0", 4),
            (["x,y,z,+1", "-x,-y,-z,-1"], ["x,y,z,+1"], "O1 O .5 .5 0", 2),
            (["x,y,z,+1", "x,y,z,-1"], [], "O1 O .5 .5 0", 2),
        ],
    )
    def test_magnetic_operators(self, operations, centrings, site, atoms):
        lines = ["_space_group_magn.number_BNS 1.1", '_space_group_magn.name_BNS "P 1"']
        lines += ["loop_", "_space_group_symop_magn_operation.id", "_space_group_symop_magn_operation.xyz"]
        lines += [f"{k} {one}" for k, one in enumerate(operations, 1)]
        if centrings:
            lines += ["loop_", "_space_group_symop_magn_centering.id", "_space_group_symop_magn_centering.xyz"]
            lines += [f"{k} {one}" for k, one in enumerate(centrings, 1)]
        assert read(cif(*lines, sites=("Ni1 Ni 0 0 0", site))).n_atoms == atoms


@pytest.mark.parametrize("fmt", ["ase", "pymatgen", "pymatgen with symmetry"])
def test_what_libraries_write_is_read(fmt):
    crystal = read(cif(symbol("P 21/c"), cell=(5, 6, 7, 90, 100, 90), sites=("Na1 Na .1 .2 .3", "Cl1 Cl .6 .3 .1")))
    structure = crystal.to_pymatgen()
    if fmt == "ase":
        buffer = io.BytesIO()
        ase.io.write(
            buffer, ase.Atoms(crystal.symbols, cell=crystal.lattice, scaled_positions=crystal.frac, pbc=True), "cif"
        )
        text = buffer.getvalue().decode()
    else:
        from pymatgen.io.cif import CifWriter

        text = str(CifWriter(structure, symprec=1e-3 if "symmetry" in fmt else None))
    again = read(text)
    assert again.formula == crystal.formula
    np.testing.assert_allclose(
        np.sort(again.to_pymatgen().distance_matrix, axis=None),
        np.sort(structure.distance_matrix, axis=None), atol=1e-3,
    )  # fmt: skip
