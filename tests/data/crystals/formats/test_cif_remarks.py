"""What is read with a remark: vacant sites, a space group by its number alone, no symmetry, capitals, fractions."""

import pytest

from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.errors import InvalidCrystalError

from .cif_texts import COLUMNS, CUBIC, HEXAGONAL, ROCK_SALT, cif, number, symbol

OCCUPIED = (*COLUMNS, "occupancy")
LABELLED = ("label", "fract_x", "fract_y", "fract_z")
ORTHORHOMBIC = (5.1, 6.2, 7.3, 90, 90, 90)
MONOCLINIC = (5.1, 6.2, 7.3, 90, 105, 90)
GENERAL = ("Ca1 Ca 0.11 0.22 0.33", "O1 O 0.42 0.15 0.07")


def read(text):
    return FoundStructure("cif", text).to_crystal("folder/a.cif", "a")


def refused(text):
    with pytest.raises(InvalidCrystalError) as caught:
        read(text)
    return str(caught.value)


class TestVacantSites:
    @pytest.mark.parametrize("vacant", ["Na2 Na", "K1 K", "Va1 Va", "X1 ?", "OH1 OH"])
    @pytest.mark.parametrize("occupancy", ["0", "0.0", "0.0000(5)", "-0.0"])
    def test_they_hold_nothing_and_are_named(self, vacant, occupancy):
        sites = ("Na1 Na 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 1", f"{vacant} 0.25 0.25 0.25 {occupancy}")
        crystal = read(cif(symbol("F m -3 m"), columns=OCCUPIED, sites=sites))
        assert (crystal.n_atoms, crystal.formula) == (8, "ClNa")
        assert crystal.remarks == (f"1 site(s) with the occupancy 0 are left out: '{vacant.split()[0]}'",)

    def test_one_at_the_position_of_an_atom_leaves_the_atom_whole(self):
        sites = ("Fe1 Fe 0 0 0 1.0", "Co1 Co 0 0 0 0.0", "O1 O 0.5 0.5 0.5 1")
        crystal = read(cif(symbol("F m -3 m"), columns=OCCUPIED, sites=sites))
        assert crystal.formula == "FeO"
        assert "'Co1'" in crystal.remarks[0]

    def test_its_position_may_be_missing_and_its_group_another(self):
        sites = ("Na1 Na 0 0 0 1 1", "Cl1 Cl 0.5 0.5 0.5 1 1", "H1 H ? ? ? 0 2")
        crystal = read(cif(symbol("F m -3 m"), columns=(*OCCUPIED, "disorder_group"), sites=sites))
        assert crystal.n_atoms == 8

    def test_a_formula_that_counts_it_contradicts_it(self):
        sites = ("Na1 Na 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 1", "Li1 Li 0.25 0.25 0.25 0")
        text = cif(symbol("F m -3 m"), "_chemical_formula_sum 'Li2 Na Cl'", columns=OCCUPIED, sites=sites)
        assert "do not fit its formula" in refused(text)

    def test_nothing_but_vacant_sites_is_no_crystal(self):
        sites = [f"{site} 0" for site in ROCK_SALT]
        assert "none of its 2 sites is occupied" in refused(cif(columns=OCCUPIED, sites=sites))

    def test_many_are_counted_and_the_first_named(self):
        sites = ["Na1 Na 0 0 0 1", *(f"H{k} H 0.1 0.2 0.{k} 0" for k in range(1, 9))]
        (remark,) = read(cif(symbol("P 1"), columns=OCCUPIED, sites=sites)).remarks
        assert remark == "8 site(s) with the occupancy 0 are left out: 'H1', 'H2', 'H3', 'H4', 'H5', ..."


class TestNumberAlone:
    @pytest.mark.parametrize(
        ("value", "cell", "read_as"),
        [(225, CUBIC, "F m -3 m"), (1, ORTHORHOMBIC, "P 1"), (2, ORTHORHOMBIC, "P -1"), (166, HEXAGONAL, "R -3 m:H"),
         (123, (4, 4, 5, 90, 90, 90), "P 4/m m m")],
    )  # fmt: skip
    def test_one_setting_is_read_with_a_remark(self, value, cell, read_as):
        crystal = read(cif(number(value), cell=cell, sites=("Na1 Na 0 0 0",)))
        (remark,) = crystal.remarks
        assert remark == (
            f"its space group is known by the number alone: _symmetry_Int_Tables_number is '{value}', read as {read_as}"
        )

    @pytest.mark.parametrize(
        ("value", "cell", "settings"),
        [
            (62, ORTHORHOMBIC, ("P n m a", "P b n m")),
            (14, MONOCLINIC, ("P 1 21/c 1", "P 1 21/n 1", "P 1 21/a 1")),
            (227, CUBIC, ("F d -3 m:2", "F d -3 m:1")),
            (48, ORTHORHOMBIC, ("P n n n:1", "P n n n:2")),
        ],
    )
    def test_several_settings_that_give_other_crystals_are_refused(self, value, cell, settings):
        said = refused(cif(number(value), cell=cell, sites=GENERAL))
        assert f"_symmetry_Int_Tables_number is '{value}', which may be" in said
        assert all(setting in said for setting in settings)
        assert "Write the symmetry operators, or the symbol of the setting" in said

    def test_the_symbol_that_is_advised_is_read_without_a_remark(self):
        crystal = read(cif(number(62), symbol("P b n m"), cell=ORTHORHOMBIC, sites=GENERAL))
        assert (crystal.n_atoms, crystal.remarks) == (16, ())

    def test_the_cell_leaves_one_of_several_axes(self):
        crystal = read(cif(number(3), cell=MONOCLINIC, sites=("Na1 Na 0.1 0.2 0.3",)))
        assert crystal.n_atoms == 2
        assert "read as P 1 2 1" in crystal.remarks[0]

    def test_a_code_of_the_setting_decides(self):
        code = "_space_group.IT_coordinate_system_code cab"
        by_code = read(cif(number(62), code, cell=ORTHORHOMBIC, sites=GENERAL))
        by_symbol = read(cif(symbol("P b n m"), cell=ORTHORHOMBIC, sites=GENERAL))
        assert sorted(by_code.frac.round(6).tolist()) == sorted(by_symbol.frac.round(6).tolist())
        assert "read as P b n m" in by_code.remarks[0]

    def test_multiplicities_may_decide(self):
        columns = ("label", "type_symbol", "symmetry_multiplicity", "fract_x", "fract_y", "fract_z")
        text = cif(number(227), columns=columns, sites=("Si1 Si 8 0 0 0",))
        crystal = read(text)
        assert (crystal.n_atoms, "read as F d -3 m:1" in crystal.remarks[0]) == (8, True)

    def test_a_symbol_that_is_not_understood_is_named(self):
        (remark,) = read(cif(number(225), symbol("cubic, I think"))).remarks
        assert remark.endswith(
            "read as F m -3 m (_symmetry_space_group_name_H-M is 'cubic, I think', which is not understood)"
        )

    @pytest.mark.parametrize("line", [symbol("F m -3 m"), "_symmetry_space_group_name_Hall '-F 4 2 3'"])
    def test_with_a_symbol_there_is_nothing_to_remark(self, line):
        assert read(cif(number(225), line)).remarks == ()


def test_no_symmetry_at_all_is_remarked():
    assert read(cif()).remarks == ("it says nothing of its symmetry: P 1 is taken",)
    assert read(cif(symbol("P 1"))).remarks == ()


class TestFractions:
    @pytest.mark.parametrize(("text", "value"), [("1/3", 1 / 3), ("-2/3", 1 / 3), ("'1/4'", 0.25), ("5/8", 0.625)])
    def test_a_fraction_is_exact(self, text, value):
        crystal = read(cif(symbol("P 1"), sites=(f"Na1 Na {text} 0 0",)))
        assert crystal.frac[0, 0] == pytest.approx(value, abs=1e-12)

    def test_special_positions_merge(self):
        crystal = read(cif(symbol("P 63/m m c"), cell=HEXAGONAL, sites=("Zn1 Zn 1/3 2/3 1/4",)))
        assert crystal.n_atoms == 2


class TestCapitals:
    @pytest.mark.parametrize(
        ("text", "element"),
        [
            (cif(symbol("P 1"), sites=("Co1 CO 0 0 0",)), "Co"),
            (cif(symbol("P 1"), sites=("CO CO 0 0 0",)).replace("_atom_site_", "_atom_site."), "Co"),
            (cif(symbol("P 1"), "_chemical_formula_sum 'Co'", sites=("M1 CO 0 0 0",)), "Co"),
            (cif(symbol("P 1"), "_chemical_formula_sum 'Co'", sites=("CO1 CO 0 0 0",)), "Co"),
            (cif(symbol("P 1"), "_chemical_formula_sum 'Ho'", sites=("CA CA 0 0 0",)).replace("CA", "HO"), "Ho"),
            (cif(symbol("P 1"), "_chemical_formula_sum 'Na'", columns=LABELLED, sites=("NA1 0 0 0",)), "Na"),
            (cif(symbol("P 1"), "_chemical_formula_sum 'Co'", columns=LABELLED, sites=("CO1 0 0 0",)), "Co"),
            (cif(symbol("P 1"), sites=("X1 FE 0 0 0",)), "Fe"),
        ],
    )
    def test_they_are_read_where_one_element_is_meant(self, text, element):
        assert read(text).symbols == (element,)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (cif(symbol("P 1"), sites=("M1 CO 0 0 0",)), "it may be Co, or C and O"),
            (cif(symbol("P 1"), "_chemical_formula_sum 'C O'", sites=("M1 CO 0 0 0",)), "it may be Co, or C and O"),
            (
                cif(symbol("P 1"), "_chemical_formula_sum 'Si'", sites=("M1 SI 0 0 0",)).replace("SI", "SN"),
                "Sn, or S and N",
            ),
            (
                cif(symbol("P 1"), "_chemical_formula_sum 'C O'", columns=LABELLED, sites=("CO1 0 0 0",)),
                "names no element",
            ),
            (cif(symbol("P 1"), columns=LABELLED, sites=("CO1 0 0 0",)), "names no element"),
        ],
    )
    def test_they_are_refused_where_two_may_be(self, text, said):
        assert said in refused(text)

    def test_a_formula_that_does_not_count_it_right_is_refused(self):
        """One carbon monoxide in a salt of cobalt: were CO1 read as cobalt, the amounts would be wrong."""
        sites = ("CO1 0 0 0", "CO2 0.5 0.5 0.5")
        text = cif(symbol("P 1"), "_chemical_formula_sum 'Co C O'", columns=LABELLED, sites=sites)
        assert "do not fit its formula" in refused(text)


@pytest.mark.parametrize(("setting", "code", "agree"), [("1", "1", True), ("1", "2", False), ("2", "1", False)])
def test_a_code_may_not_contradict_the_setting_of_the_symbol(setting, code, agree):
    text = cif(symbol(f"F d -3 m:{setting}"), f"_space_group.IT_coordinate_system_code {code}", sites=("Si1 Si 0 0 0",))
    if agree:
        assert read(text).n_atoms == 8
    else:
        assert f"contradicts itself: _symmetry_space_group_name_H-M is 'F d -3 m:{setting}'" in refused(text)
