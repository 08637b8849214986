"""Laws of packing: a crystal's graph does not depend on other crystals, and nothing is lost."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packed import COLUMNS, ENTITIES, PackedGraphs, offsets_from_counts, ragged_indices
from phase2.data.graphs.packing import pack, pack_valid
from phase2.data.sources.base import LabelledCrystal
from phase2.errors import DataError, InvalidCrystalError

SPEC = GraphSpec()


def crystal(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    frac = rng.permutation(8)[:n, None] // [4, 2, 1] % 2 / 2
    return Crystal.checked(f"random-{seed}", rng.integers(1, 119, n), frac, np.diag(rng.uniform(4, 9, 3)))


def assert_same(a, b):
    for field in dataclasses.fields(PackedGraphs):
        one, other = getattr(a, field.name), getattr(b, field.name)
        np.testing.assert_array_equal(one, other, err_msg=field.name)
        assert one.dtype.kind == other.dtype.kind


OVERLAPPING = Crystal.checked("overlapping", ["Na", "Cl"], [[0.0, 0.0, 0.0], [0.01, 0, 0]], np.eye(3) * 5)
MANY = [crystal(seed) for seed in range(1200)]  # more atoms than are packed at once


def test_packing_a_crystal_is_bitwise_independent_of_the_others():
    together = pack(MANY, SPEC)
    assert together.atom_offset[-1] > 4096
    assert_same(together, PackedGraphs.concatenate([pack([c], SPEC) for c in MANY]))


def test_packed_graphs_hold_the_crystals():
    graphs = pack(MANY[:20], SPEC)
    assert len(graphs) == 20
    assert graphs.ids.tolist() == [c.id for c in MANY[:20]]
    assert graphs.formulas.tolist() == [c.formula for c in MANY[:20]]
    assert np.diff(graphs.atom_offset).tolist() == [c.n_atoms for c in MANY[:20]]
    np.testing.assert_array_equal(graphs.species, np.concatenate([c.species for c in MANY[:20]]))
    np.testing.assert_allclose(graphs.positions, np.concatenate([c.cartesian for c in MANY[:20]]), rtol=1e-6)
    np.testing.assert_allclose(graphs.lattice, [c.lattice for c in MANY[:20]], rtol=1e-6)
    assert np.isnan(graphs.targets).all()
    for name, column in COLUMNS.items():
        assert np.issubdtype(getattr(graphs, name).dtype, column.dtype), name


def test_labels_are_kept_in_order():
    labels = np.array([[1.5, np.nan, *range(7)], [np.nan] * 9])
    labelled = [LabelledCrystal(c, t) for c, t in zip(MANY[:2], labels, strict=True)]
    np.testing.assert_array_equal(pack(labelled, SPEC).targets, labels.astype(np.float32))


def test_indices_count_from_the_beginning_of_their_crystal():
    graphs = pack(MANY[:50], SPEC)
    for inner, outer, level in [
        ("bond_receiver", "atom", "bond"),
        ("bond_sender", "atom", "bond"),
        ("edge_bond", "bond", "edge"),
        ("atom_node", "node", "atom"),
        ("link_receiver", "node", "link"),
        ("link_sender", "node", "link"),
    ]:
        values, limits = getattr(graphs, inner), np.diff(graphs.offset(outer))
        for i, (a, b) in enumerate(zip(graphs.offset(level)[:-1], graphs.offset(level)[1:], strict=True)):
            present = set(values[a:b].tolist())
            assert present <= set(range(limits[i])), inner
            assert inner.endswith("sender") or len(present) == limits[i], inner


def test_invalid_crystals_are_named_or_left_out_with_the_reason():
    with pytest.raises(InvalidCrystalError, match="overlapping"):
        pack([MANY[0], OVERLAPPING], SPEC)
    graphs, rejected = pack_valid([MANY[0], OVERLAPPING, MANY[1]], SPEC)
    assert_same(graphs, pack(MANY[:2], SPEC))
    (rejection,) = rejected
    assert rejection.id == "overlapping"
    assert "0.050 angstrom apart" in rejection.reason


def test_no_crystals_make_empty_graphs():
    graphs = pack([], SPEC)
    assert len(graphs) == 0
    assert all(graphs.offset(entity).tolist() == [0] for entity in ENTITIES[1:])
    assert_same(PackedGraphs.concatenate([graphs, pack(MANY[:1], SPEC)]), pack(MANY[:1], SPEC))


@given(st.lists(st.integers(0, 19), max_size=30))
@settings(deadline=None)
def test_take_equals_packing_the_selected(index):
    graphs = pack(MANY[:20], SPEC)
    assert_same(graphs.take(np.array(index, dtype=np.int64)), pack([MANY[i] for i in index], SPEC))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.data())
def test_ragged_indices_are_the_concatenated_ranges(counts, data):
    offset = offsets_from_counts(np.array(counts))
    index = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=20))
    expected = [k for i in index for k in range(offset[i], offset[i + 1])]
    assert ragged_indices(offset, np.array(index, dtype=np.int64)).tolist() == expected


@pytest.mark.parametrize("change", ["short", "dtype", "offset"])
def test_arrays_that_do_not_fit_are_refused(change):
    graphs = pack(MANY[:3], SPEC)
    changes: dict[str, dict[str, Any]] = {
        "short": {"species": graphs.species[:-1]},
        "dtype": {"positions": graphs.positions.astype(np.float64)},
        "offset": {"bond_offset": graphs.bond_offset[::-1].copy()},
    }
    broken = changes[change]
    with pytest.raises(DataError, match=next(iter(broken)) if change != "offset" else "bond_"):
        dataclasses.replace(graphs, **broken)


def test_an_atom_in_a_deep_vacuum_costs_little():
    # The search around an isolated atom grows; its memory is bounded by what lies around that atom alone.
    slab = np.array([[i, j, 0] for i in range(6) for j in range(6)]) * [1 / 6, 1 / 6, 0]
    frac = np.concatenate([slab, [[0, 0, 0.4]]])
    deep = Crystal.checked("slab", ["C"] * 36 + ["Xe"], frac, np.diag([15, 15, 40.0]))
    graphs = pack([deep], SPEC)
    assert (graphs.bond_receiver == 36).sum() >= 1
