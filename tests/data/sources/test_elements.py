"""The elemental reference crystals."""

import numpy as np
import pytest

import phase2
from phase2.data.sources.registry import known_sources, open_source
from phase2.properties import KEYS


@pytest.fixture(scope="module")
def found():
    data = phase2.load_dataset("elements")
    assert not data.rejected
    return {row.crystal.id: row for row in data}


def label(row, key):
    return row.targets[KEYS.index(key)]


def test_every_element_is_at_zero_and_has_one_kind_of_atom(found):
    assert len(found) == 68
    assert not {"Mn", "S", "Hg"} & found.keys()
    for symbol, row in found.items():
        assert row.crystal.formula == symbol
        assert label(row, "formation_energy") == label(row, "ehull") == 0.0
        assert np.isnan(label(row, "band_gap"))


def test_cubic_crystals_have_the_bulk_modulus_of_the_sample(found):
    sample = {row.crystal.id: row for row in phase2.load_dataset("sample")}
    for symbol, name in {"Si": "mp-149", "V": "mp-146", "W": "mp-91", "Pt": "mp-126", "Al": "mp-134"}.items():
        assert label(found[symbol], "bulk_modulus") == pytest.approx(label(sample[name], "bulk_modulus"), rel=0.07)
    assert np.isnan(label(found["Mg"], "bulk_modulus"))
    assert sum(np.isfinite(label(row, "bulk_modulus")) for row in found.values()) == 33


def test_it_is_a_data_set_of_its_own_that_says_what_it_is():
    known = {one.name: one for one in known_sources()}["elements"]
    assert "68" in known.summary
    source = open_source("elements")
    assert source.fingerprint == open_source("elements").fingerprint
    assert len(source.fingerprint) == 64
