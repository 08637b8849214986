"""The nine properties and how they are chosen."""

import pytest

from phase2.errors import RequestError, UnknownNameError
from phase2.properties import CORE, KEYS, PROPERTIES, get_property, select_properties


def test_there_are_nine_and_four_are_the_core():
    assert len(PROPERTIES) == len({p.column for p in PROPERTIES}) == 9
    assert CORE == ("formation_energy", "band_gap", "bulk_modulus", "shear_modulus")


def test_selection_keeps_the_canonical_order():
    assert [p.key for p in select_properties(["ehull", "band_gap"])] == ["band_gap", "ehull"]
    assert [p.key for p in select_properties()] == list(CORE)
    assert select_properties(everything=True) == PROPERTIES
    assert [p.key for p in select_properties(KEYS[::-1])] == list(KEYS)


@pytest.mark.parametrize(("keys", "says"), [([], "No property"), (["ehull", "ehull"], "twice")])
def test_empty_and_double_selections_are_refused(keys, says):
    with pytest.raises(RequestError, match=says):
        select_properties(keys)


def test_an_unknown_property_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="shear_modulus"):
        get_property("shear_moduls")


def test_headings_carry_units():
    assert get_property("band_gap").heading == "band_gap [eV]"
    assert get_property("spillage").heading == "spillage"


@pytest.mark.parametrize(("key", "fix"), [("seebeck", "Use one of: formation_energy"), ("bandgap", "'band_gap'?")])
def test_an_unknown_property_may_be_one_to_define(key, fix):
    with pytest.raises(UnknownNameError) as error:
        select_properties([key])
    assert fix in error.value.fix
    assert "--property KEY:UNIT:COLUMN" in error.value.fix
