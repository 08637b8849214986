"""Units: what is converted, by how much, and what is refused because its meaning is open."""

from fractions import Fraction

import pytest

from phase2.errors import DataError
from phase2.properties import PROPERTIES
from phase2.units import conversion_factor, is_unit


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("meV/atom", "eV/atom", 0.001),
        ("meV per atom", "eV/atom", 0.001),
        ("meV_per_atom", "eV/atom", 0.001),
        ("eV atom^-1", "eV/atom", 1),
        ("eV/at", "eV/atom", 1),
        ("ev/Atom", "eV/atom", 1),
        ("Ry/atom", "eV/atom", 13.605693123),
        ("kJ/mol/atom", "eV/atom", 0.010364269656),
        ("kJ/mol-atom", "eV/atom", 0.010364269656),
        ("kJ/(mol atoms)", "eV/atom", 0.010364269656),
        ("kcal/mol/atom", "eV/atom", 0.043364104),
        ("Hartree", "eV", 27.211386246),
        ("meV", "eV", 0.001),
        ("kbar", "GPa", 0.1),
        ("Mbar", "GPa", 100),
        ("MPa", "GPa", 0.001),
        ("Pa", "GPa", 1e-9),
        ("N/m^2", "GPa", 1e-9),
        ("eV/Ang^3", "GPa", 160.2176634),
        ("eV/\u00c5\u00b3", "GPa", 160.2176634),
        ("nm^3", "A^3", 1000),
        ("\u00c5^3", "A^3", 1),
        ("e/A3", "e/Ang^3", 1),
        ("g/A^2", "g/Ang^2", 1),
        ("A", "Ang", None),
        ("mA^3", "A^3", None),
        ("gpa", "GPa", 1),
        ("uC/cm^2", "C/m2", 0.01),
        ("\u00b5C/cm\u00b2", "C/m2", 0.01),
        ("C m-2", "C/m2", 1),
        ("C\u00b7m\u207b\u00b2", "C/m2", 1),
        ("C/m**2", "C/m2", 1),
        ("-", "", 1),
        ("%", "", 0.01),
        ("J/(mol K)", "J/mol/K", 1),
        ("J/mol K", "J/mol/K", 1),
        ("kJ mol-1 K-1", "J/mol/K", 1000),
        ("cm-1", "1/m", 100),
        ("W/mK", "W/(m K)", None),
        ("uV/K", "V/K", 1e-6),
        ("\u00b5V/K", "V/K", 1e-6),
        ("\u03bcV K-1", "V/K", 1e-6),
        ("mS/cm", "S/m", 0.1),
        ("MS/m", "S/m", 1e6),
        ("nS", "S", 1e-9),
        ("kOhm", "Ohm", 1000),
        ("\u00b5\u2126 cm", "Ohm m", 1e-8),
        ("pA", "A", 1e-12),
        ("MJ/m^3", "J/m^3", 1e6),
        ("MW", "W", 1e6),
        ("GV/m", "V/m", 1e9),
        ("mmol", "mol", 1e-3),
        ("hPa", "Pa", 100),
        ("daN", "N", 10),
        ("aJ", "J", 1e-18),
        ("mu_B", "A m^2", 9.2740100657e-24),
        ("muB/atom", "mu_B/atom", 1),
        ("\u00b5B", "mu_B", 1),
        ("\u03bc_B/f.u.", "muB/fu", 1),
        ("Bohr magneton", "mu_B", 1),
        ("mmuB", "muB", 1e-3),
        ("m\u00b5B", "muB", 1e-3),
        ("ms", "s", 1e-3),
        ("us", "s", 1e-6),
        ("T", "V s/m^2", 1),
        ("mT", "tesla", 1e-3),
        ("Gauss", "\u00b5T", 100),
        ("kOe", "A/m", 79577.47154594767),
        ("emu/g", "A m^2/kg", 1),
        ("emu/cm3", "kA/m", 1),
        ("emu/mol/Oe", "m^3/mol", 1.25663706144e-5),  # 4 pi cm^3
        ("mu_B/Ang^3", "MA/m", 9.2740100657),
        ("Wb", "T m^2", 1),
        ("henry/m", "N/A^2", None),  # of an angstrom
        ("henry/m", "T m A^-1", 1),
        ("F/m", "C/(V m)", 1),
        ("\u00b5F/cm^2", "F/m^2", 0.01),
        ("pF", "F", 1e-12),
        ("Debye", "e Ang", 0.208194332709),
        ("amu/Ang^3", "g/cm^3", 1.66053906892),
        ("Da", "amu", 1),
        ("kB/atom", "meV/K/atom", 0.08617333262),
        ("k_B/atom", "kB/atom", 1),
        ("erg/cm^2", "mJ/m^2", 1),
        ("dyn/cm", "N/m", 1e-3),
        ("Torr", "Pa", 133.322368421),
        ("ksi", "MPa", 6.894757293),
        ("Msi", "GPa", 6.894757293),
        ("mAh/g", "C/g", 3.6),
        ("Wh/kg", "kJ/kg", 3.6),
        ("ppm/K", "1/K", 1e-6),
        ("ppb", "", 1e-9),
        ("kT", "T", None),
        ("1 GPa", "GPa", 1),
        ("10 GPa", "GPa", None),
        ("10 kbar", "GPa", None),
        ("10\u00b2 GPa", "GPa", None),
        ("GPa*100", "GPa", None),
        ("kJ/100 g", "kJ/g", None),
        ("10", "", None),
        ("t", "T", None),
        ("f", "F", None),
        ("W m-1 K-1", "W/(m K)", 1),
        ("EV", "eV", 1),
        ("hA", "Ha", 1),
        ("PS", "ps", 1),
        ("Bohr", "m", 5.29177210544e-11),
    ],
)
def test_a_unit_is_converted_or_refused(given, wanted, factor):
    if factor is None:  # a millikelvin, or a metre and a kelvin
        with pytest.raises(DataError):
            conversion_factor(given, wanted)
        return
    assert conversion_factor(given, wanted) == pytest.approx(factor, rel=1e-8)
    assert conversion_factor(wanted, given) == pytest.approx(1 / factor, rel=1e-8)
    assert is_unit(given)


@pytest.mark.parametrize(("unit", "factor"), [("meV/atom", 0.001), ("ueV/atom", 1e-6), ("eV*mJ/J/atom", 0.001)])
def test_powers_of_ten_are_exact(unit, factor):
    assert conversion_factor(unit, "eV/atom") == factor


@pytest.mark.parametrize(
    ("given", "wanted", "words"),
    [
        ("kJ/mol", "eV/atom", "per atom"),
        ("eV", "eV/atom", "per atom"),
        ("eV/fu", "eV/atom", "per formula unit"),
        ("eV/cell", "eV/atom", "per cell"),
        ("eV/atom", "eV", "per atom"),
        ("GPa", "eV", "different things"),
        ("eV", "", "different things"),
        ("MeV", "eV", "meV"),
        ("mev/atom", "eV/atom", "meV"),
        ("mPa", "GPa", "MPa"),
        ("MBAR", "GPa", "mbar|Mbar"),
        ("\u00b0C", "K", "not known"),
        ("furlong", "m", "not known"),
        ("PA", "GPa", "Pa"),
        ("Ms", "s", "ms"),
        ("mHz", "THz", "MHz"),
        ("dB", "V", "not known"),
        ("Tm", "K", "not known"),
        ("Eg", "eV", "not known"),
        ("cd", "eV", "not known"),
        ("min", "s", "not known"),
        ("uB2O3", "mu_B", "not known"),
        ("kkJ", "J", "not known"),
        ("kMJ", "J", "not known"),
        ("10^3 GPa", "GPa", "not known"),
        ("eV/", "eV", "not known"),
        ("(eV", "eV", "not known"),
        ("eV)", "eV", "not known"),
        ("eV^999", "eV", "not known"),
        ("eV" + "(" * 500, "eV", "not known"),
        ("x" * 5000, "eV", "not known"),
    ],
)
def test_what_has_no_one_meaning_is_refused(given, wanted, words):
    with pytest.raises(DataError, match=words) as refused:
        conversion_factor(given, wanted)
    assert len(str(refused.value)) < 500


def test_every_property_has_a_unit_that_is_converted():
    assert all(is_unit(p.unit) for p in PROPERTIES)


PREFIXED = (
    *("eV", "Ha", "Ry", "J", "cal", "Pa", "bar", "N", "C", "A", "V", "S", "Ohm", "W", "K", "m", "s", "Hz", "g", "mol"),
    *("muB", "T", "F", "Oe", "Wb", "emu", "Ah", "Wh"),
)


@pytest.mark.parametrize("unit", PREFIXED)
def test_a_prefix_goes_with_every_unit_unless_the_two_are_more_often_a_slip(unit):
    powers = {"f": -15, "p": -12, "n": -9, "u": -6, "\u00b5": -6, "m": -3, "c": -2, "d": -1, "k": 3}
    powers |= {} if unit in {"m", "s", "g"} else {"M": 6, "G": 9, "T": 12}
    for prefix, power in powers.items():
        if prefix + unit in {"MeV", "mPa", "mbar", "mHz", "kT"}:
            assert not is_unit(prefix + unit)
        else:
            assert conversion_factor(prefix + unit, unit) == float(Fraction(10) ** power)
