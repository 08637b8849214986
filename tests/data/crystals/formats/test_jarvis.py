"""JARVIS records become crystals, and every wrong part is named."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.data.crystals.formats.jarvis import from_jarvis
from phase2.errors import InvalidCrystalError
from phase2.testing.crystals import assert_same_crystal

ATOMS = {
    "lattice_mat": [[4.0, 0.0, 0.0], [0.5, 5.0, 0.0], [0.25, 0.75, 6.0]],
    "coords": [[0.0, 0.0, 0.0], [0.5, 0.25, 0.125]],
    "elements": ["Na", "Cl"],
    "cartesian": False,
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def test_cartesian_and_fractional_agree():
    crystal = from_jarvis({"jid": "JVASP-1", "atoms": ATOMS})
    coords = crystal.cartesian.tolist()
    again = from_jarvis({"jid": "JVASP-1", "atoms": {**ATOMS, "coords": coords, "cartesian": True}})
    assert crystal.id == "JVASP-1"
    assert_same_crystal(crystal, again)


def test_atoms_alone_are_a_record():
    assert_same_crystal(from_jarvis(ATOMS, "x"), from_jarvis({"atoms": ATOMS}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"elements": None}, "elements are None"),
        ({"elements": "NaCl"}, "elements are 'NaCl'"),
        ({"elements": ["Na", 3.5]}, "site 1 holds 3.5"),
        ({"elements": ["Na"]}, "(2, 3), not (1, 3)"),
        ({"coords": [[0, 0, 0], [0, 0, None]]}, "site 1 (Cl)"),
        ({"coords": {"x": 1}}, "not a table of numbers"),
        ({"lattice_mat": "cubic"}, "not a table of numbers"),
        ({"lattice_mat": [[float("nan")] * 3] * 3}, "not finite"),
        ({"cartesian": "no"}, "'cartesian' is 'no'"),
        ({"cartesian": True, "coords": [[0, 0]]}, "tables of numbers"),
        ({"cartesian": True, "coords": "here"}, "tables of numbers"),
        ({"cartesian": True, "lattice_mat": [[1, 0, 0]] * 3}, "volume of 0"),
    ],
)
def test_wrong_parts_are_named(change, said):
    with pytest.raises(InvalidCrystalError) as caught:
        from_jarvis({"jid": "JVASP-1", "atoms": {**ATOMS, **change}})
    assert "JVASP-1" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("part", ["lattice_mat", "coords", "elements"])
def test_missing_parts_are_named(part):
    with pytest.raises(InvalidCrystalError, match=f"no '{part}'"):
        from_jarvis({"atoms": {k: v for k, v in ATOMS.items() if k != part}})


def test_atoms_of_another_type():
    with pytest.raises(InvalidCrystalError, match="'atoms' are 'na'"):
        from_jarvis({"jid": "x", "atoms": "na"})


@given(st.fixed_dictionaries({}, optional={k: JSON_VALUES | st.just(v) for k, v in ATOMS.items()}))
def test_any_json_is_a_crystal_or_a_refusal(atoms):
    with contextlib.suppress(InvalidCrystalError):
        assert from_jarvis({"atoms": atoms}).n_atoms > 0
