"""The nine properties and how they are chosen."""

import pytest

from phase2.errors import RequestError, UnknownNameError
from phase2.properties import CORE, KEYS, PROPERTIES, get, select


def test_there_are_nine_and_four_are_the_core():
    assert len(PROPERTIES) == len({p.column for p in PROPERTIES}) == 9
    assert CORE == ("formation_energy", "band_gap", "bulk_modulus", "shear_modulus")


def test_selection_keeps_the_canonical_order():
    assert [p.key for p in select(["ehull", "band_gap"])] == ["band_gap", "ehull"]
    assert [p.key for p in select()] == list(CORE)
    assert select(everything=True) == PROPERTIES
    assert [p.key for p in select(KEYS[::-1])] == list(KEYS)


@pytest.mark.parametrize(("keys", "says"), [([], "No property"), (["ehull", "ehull"], "twice")])
def test_empty_and_double_selections_are_refused(keys, says):
    with pytest.raises(RequestError, match=says):
        select(keys)


def test_an_unknown_property_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="shear_modulus"):
        get("shear_moduls")


def test_headings_carry_units():
    assert get("band_gap").heading == "band_gap [eV]"
    assert get("spillage").heading == "spillage"
