"""Laws of the sizes that batches are padded to."""

import itertools

import numpy as np
import pytest

from phase2.data.padding.buckets import MULTIPLE, ShapeBuckets
from phase2.data.padding.shape import BatchShape


def sizes(n, seed=0, *, quotient=False):
    rng = np.random.default_rng(seed)
    atoms = rng.integers(4, 200, n)
    bonds = atoms * rng.integers(3, 9, n)
    extra = np.zeros(n, np.int64) if quotient else bonds // 2
    return np.stack([np.full(n, 4), atoms, bonds, extra], axis=1)


@pytest.mark.parametrize("n", [1, 3, 8])
@pytest.mark.parametrize("quotient", [False, True])
def test_every_batch_has_a_size_with_room_for_it(n, quotient):
    batches = sizes(200, quotient=quotient)
    buckets = ShapeBuckets.fit(batches, n)
    assert 1 <= len(buckets.shapes) <= n
    for row in batches.tolist():
        shape = buckets.choose(BatchShape(*row))
        assert shape in buckets.shapes
        assert shape.has_room_for(BatchShape(*row))
        assert not any(size % MULTIPLE for size in shape[1:])


def test_more_sizes_waste_less():
    batches = sizes(300)
    waste = [ShapeBuckets.fit(batches, n).waste(batches) for n in (1, 2, 4, 8, 16)]
    assert waste == sorted(waste, reverse=True)
    assert waste[0] > 0.5
    assert waste[-1] < 0.15


def test_the_cuts_are_the_best_of_all():
    batches = sizes(12)

    def cost(shapes):
        buckets = ShapeBuckets(tuple(sorted(shapes, key=lambda s: s.bonds)))
        padded = np.array([buckets.choose(BatchShape(*row)) for row in batches.tolist()])
        return (padded[:, 1:] / batches.mean(axis=0)[1:]).sum()

    by_bonds = batches[np.lexsort((batches[:, 1], batches[:, 3], batches[:, 2]))]

    def shapes_of(cuts):
        return {ShapeBuckets.fit(part, 1).shapes[0] for part in np.split(by_bonds, cuts)}

    best = min(cost(shapes_of(cuts)) for cuts in itertools.combinations(range(1, 12), 2))
    assert cost(ShapeBuckets.fit(batches, 3).shapes) <= best * (1 + 1e-12)


def test_sizes_do_not_depend_on_the_order_of_the_batches():
    batches = sizes(100)
    shuffled = batches[np.random.default_rng(1).permutation(100)]
    assert ShapeBuckets.fit(batches, 4) == ShapeBuckets.fit(shuffled, 4)


@pytest.mark.parametrize("larger", [(4, 9000, 10, 0), (50, 10, 10, 10), (4, 10, 10, 90_000), (4, 10, 20_000, 0)])
def test_a_batch_larger_than_all_gets_the_largest_grown(larger):
    crystals, atoms, bonds, extra = larger
    buckets = ShapeBuckets.fit(sizes(50), 2)
    shape = buckets.choose(BatchShape(*larger))
    assert shape.has_room_for(BatchShape(*larger))
    assert all(mine >= theirs for mine, theirs in zip(shape, buckets.shapes[-1], strict=True))
    slightly_smaller = BatchShape(crystals, atoms - 1, bonds - 1, extra)
    assert buckets.choose(slightly_smaller) == shape


def test_a_batch_with_more_edges_than_bonds_where_the_others_have_none():
    buckets = ShapeBuckets.fit(sizes(50, quotient=True), 2)
    assert buckets.choose(BatchShape(4, 10, 10, 5)).extra_edges >= 5


def test_no_batches_have_no_sizes():
    nothing = np.empty((0, 4), np.int64)
    assert ShapeBuckets.fit(nothing, 3).shapes == ()
    assert ShapeBuckets.fit(nothing, 3).waste(nothing) == 0
