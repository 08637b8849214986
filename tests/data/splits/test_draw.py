"""Laws of the split: a partition, fixed by ids and seed, of the requested sizes, without leaks between groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.data.splits.draw import draw_split
from phase2.data.splits.split import Split
from phase2.errors import DataError, RequestError

IDS = [f"mp-{k}" for k in range(200)]
FORMULAS = [f"X{k % 37}" for k in range(200)]

records = st.lists(
    st.tuples(st.text(min_size=1), st.sampled_from("ABCDEFGH")), min_size=3, max_size=60, unique_by=lambda r: r[0]
)


def split_crystals(ids, formulas, *, seed, group_by="none", **settings):
    """The splits of version 0.1.0: by crystal, or by composition."""
    if group_by == "none":
        return draw_split(ids, ids, seed=seed, **settings)
    return draw_split(ids, formulas, seed=seed, unit="different compositions", **settings)


def parts(s):
    return (s.train, s.val, s.test)


@given(records, st.integers(0, 2**32))
def test_every_crystal_is_in_exactly_one_part_and_no_part_is_empty(rows, seed):
    ids, formulas = zip(*rows, strict=True)
    made = split_crystals(ids, formulas, seed=seed)
    assert sorted(np.concatenate(parts(made)).tolist()) == list(range(len(ids)))
    assert all(len(part) for part in parts(made))
    assert all(part.dtype == np.int64 for part in parts(made))


@given(records, st.randoms(), st.sampled_from(["none", "composition"]))
def test_the_order_of_the_records_does_not_matter(rows, random, group_by):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    if len({formula for _, formula in rows}) < 3:
        group_by = "none"
    named, prints = [], set()
    for order in (rows, shuffled):
        ids, formulas = zip(*order, strict=True)
        made = split_crystals(ids, formulas, seed=42, group_by=group_by)
        named.append([[ids[k] for k in part] for part in parts(made)])
        prints.add(made.fingerprint(ids))
    assert named[0] == named[1]
    assert len(prints) == 1


@given(records, st.integers(0, 100))
def test_a_composition_never_straddles_two_parts(rows, seed):
    ids, formulas = zip(*rows, strict=True)
    if len(set(formulas)) < 3:
        with pytest.raises(DataError, match="different compositions"):
            split_crystals(ids, formulas, seed=seed, group_by="composition")
        return
    made = split_crystals(ids, formulas, seed=seed, group_by="composition")
    seen = [{formulas[k] for k in part} for part in parts(made)]
    assert all(seen)
    assert sum(len(s) for s in seen) == len(set(formulas))


@pytest.mark.parametrize("n", [3, 4, 10, 95, 200])
def test_sizes_are_exact_to_rounding(n):
    made = split_crystals(IDS[:n], FORMULAS[:n], seed=42)
    tenth = max(1, round(n * 0.1))
    assert [len(part) for part in parts(made)] == [n - 2 * tenth, tenth, tenth]


def test_sizes_are_near_when_compositions_stay_together():
    made = split_crystals(IDS, FORMULAS, seed=42, group_by="composition")
    largest = 6
    assert abs(len(made.val) - 20) < largest
    assert abs(len(made.test) - 20) < largest


@pytest.mark.parametrize("fractions", [(1e-9, 1, 1), (1, 1e-9, 1), (1, 1, 1e-9), (1e-9, 1e-9, 1)])
def test_lopsided_fractions_still_leave_no_part_empty(fractions):
    assert all(len(part) for part in parts(split_crystals(IDS[:5], FORMULAS[:5], seed=1, fractions=fractions)))


def test_the_seed_decides():
    a, b, c = (split_crystals(IDS, FORMULAS, seed=seed) for seed in (42, 42, 43))
    assert a.fingerprint(IDS) == b.fingerprint(IDS) != c.fingerprint(IDS)
    assert a.test.tolist() == b.test.tolist()
    assert set(a.test) != set(c.test)


def test_the_fingerprint_tells_parts_apart():
    made = split_crystals(IDS, FORMULAS, seed=42)
    swapped = Split(train=made.train, val=made.test, test=made.val)
    assert made.fingerprint(IDS) != swapped.fingerprint(IDS)


def test_the_split_of_seed_42_never_changes():
    """Published numbers belong to this split: it must be the same in every version."""
    made = split_crystals(IDS[:20], FORMULAS[:20], seed=42)
    assert [IDS[k] for k in made.val] == ["mp-8", "mp-2"]
    assert [IDS[k] for k in made.test] == ["mp-7", "mp-12"]


def test_too_few_crystals():
    with pytest.raises(DataError, match="2 crystals cannot be split"):
        split_crystals(IDS[:2], FORMULAS[:2], seed=42)


@pytest.mark.parametrize("fractions", [(1, 0, 0), (0.8, 0.3, -0.1), (float("nan"), 1, 1)])
def test_fractions_must_be_positive(fractions):
    with pytest.raises(RequestError, match="not all positive"):
        split_crystals(IDS, FORMULAS, seed=42, fractions=fractions)
