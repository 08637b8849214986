"""Features of crystals: what must not change them, and their values where they are known."""

import numpy as np
import pytest

from phase2.baselines.features import DEFAULT_GROUPS, GROUPS, crystal_features, feature_names
from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.element_properties import element_properties
from phase2.data.crystals.elements import ATOMIC_NUMBERS
from phase2.data.graphs.packing import pack
from phase2.data.sources.registry import open_source
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende
from tools.datasets.element_properties import TABLE, write_table

ALL = tuple(GROUPS)


def features(*crystals, groups=ALL):
    return crystal_features(pack(crystals, GraphSpec()), np.arange(len(crystals)), groups)


def described(crystal):
    return dict(zip(feature_names(ALL), features(crystal)[0].tolist(), strict=True))


@pytest.fixture(scope="module")
def crystals():
    source = open_source("sample")
    records = [record for k, record in enumerate(source.records()) if k % 400 == 0]
    found = [source.parse(record).crystal for record in records]
    return [rock_salt(), zinc_blende(), triclinic(), isolated(), *(c for c in found if c.n_atoms <= 20)]


def changed(crystal, species=None, frac=None, lattice=None):
    return Crystal.checked(
        "changed",
        crystal.species if species is None else species,
        crystal.frac if frac is None else frac,
        crystal.lattice if lattice is None else lattice,
    )


def supercell(crystal):
    return changed(
        crystal,
        species=np.tile(crystal.species, 6),
        frac=np.concatenate([(crystal.frac + np.array([a, b, 0])) / [2, 3, 1] for a in range(2) for b in range(3)]),
        lattice=crystal.lattice * np.array([[2], [3], [1]]),
    )


def other_basis(crystal):
    """The same lattice, spanned by other vectors."""
    basis = np.array([[1, 1, 0], [0, 1, -1], [0, 0, 1]])
    return changed(crystal, frac=crystal.frac @ np.linalg.inv(basis), lattice=basis @ crystal.lattice)


def permuted(crystal):
    order = np.random.default_rng(0).permutation(crystal.n_atoms)
    return changed(crystal, species=crystal.species[order], frac=crystal.frac[order])


@pytest.mark.parametrize("name", ["supercell", "basis", "permutation", "rotation", "translation"])
def test_features_do_not_depend_on_the_description_of_a_crystal(crystals, name, orthogonal):
    change = {
        "supercell": supercell,
        "basis": other_basis,
        "permutation": permuted,
        "rotation": lambda crystal: changed(crystal, lattice=crystal.lattice @ orthogonal),
        "translation": lambda crystal: changed(crystal, frac=crystal.frac + np.array([0.13, 0.71, 0.37])),
    }[name]
    # Positions are stored in single precision, so that is how well features agree; tiny ones are sums that cancel.
    np.testing.assert_allclose(
        features(*map(change, crystals)), features(*crystals), rtol=1e-4, atol=1e-4, err_msg=name
    )


def test_different_crystals_have_different_features(crystals):
    found = features(*crystals, groups=DEFAULT_GROUPS)
    assert len(np.unique(found, axis=0)) == len(crystals)


def test_every_feature_of_the_sample_is_finite_and_named(dataset):
    index = np.arange(0, len(dataset.graphs), 10)
    found = crystal_features(dataset.graphs, index, ALL)
    names = feature_names(ALL)
    assert found.shape == (len(index), len(names))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert len(set(names)) == len(names)


def test_crystals_do_not_see_each_other(crystals):
    """Neither the crystals packed beside one nor the order of the index matters."""
    graphs = pack(crystals, GraphSpec())
    index = np.array([3, 0, 2])
    np.testing.assert_array_equal(crystal_features(graphs, index), features(*crystals, groups=DEFAULT_GROUPS)[index])
    np.testing.assert_array_equal(
        crystal_features(graphs, index), features(*(crystals[k] for k in index), groups=DEFAULT_GROUPS)
    )
    assert crystal_features(graphs, index[:0]).shape == (0, len(feature_names()))


def test_rock_salt_is_described_by_its_known_numbers():
    found = described(rock_salt(5.64))
    assert found["elements"] == 2
    assert found["share of Na"] == pytest.approx(0.5)
    assert found["share of O"] == 0
    assert found["range electronegativity"] == pytest.approx(3.16 - 0.93)
    assert found["mean ionic character"] == pytest.approx(0.5 * (1 - np.exp(-((3.16 - 0.93) ** 2) / 4)))
    assert found["volume per atom"] == pytest.approx(5.64**3 / 8, rel=1e-5)
    assert found["density"] == pytest.approx(2.16, rel=0.01)  # g/cm3, measured: 2.16
    assert found["low nearest distance"] == pytest.approx(2.82, rel=1e-5)
    assert found["low coordination"] == pytest.approx(6, rel=0.01)  # of Cl; Na counts some of its 12 second neighbours
    assert found["low like neighbours"] < 0.01


def test_orientational_order_is_that_of_the_literature():
    """Simple cubic and face-centred neighbourhoods: Steinhardt et al. 1983, table I and text."""
    cubic = described(Crystal.checked("Po", [84], [[0, 0, 0]], np.eye(3) * 3.35))
    half = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    copper = described(Crystal.checked("Cu", [29], [[0, 0, 0]], half * 3.61))
    assert copper["mean orientational order 4"] == pytest.approx(0.191, abs=0.001)
    assert copper["mean orientational order 6"] == pytest.approx(0.575, abs=0.001)
    assert cubic["mean orientational order 4"] == pytest.approx(0.764, abs=0.2)  # the second shell is seen as well
    for crystal in (copper, cubic):
        assert crystal["high orientational order 1"] < 1e-6
        assert crystal["high orientational order 3"] < 1e-6


def test_the_order_of_degree_three_tells_what_has_no_centre_of_inversion():
    assert described(zinc_blende())["low orientational order 3"] > 0.5
    assert described(rock_salt())["high orientational order 3"] < 1e-6


def test_unknown_element_properties_are_the_mean_of_the_known():
    table = element_properties()
    assert np.isfinite(table.values).all()
    column = table.column("electronegativity")
    assert column[ATOMIC_NUMBERS["O"]] == 3.44
    assert column[ATOMIC_NUMBERS["He"]] == pytest.approx(column[ATOMIC_NUMBERS["Ne"]])
    with pytest.raises(ValueError, match="read-only"):
        table.values[1, 0] = 7


def test_the_table_is_what_the_tool_writes(tmp_path):
    write_table(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == TABLE.read_text()
