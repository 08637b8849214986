"""Labels beyond reason are remarked on, and words for a missing value are refused, whatever number they are."""

import numpy as np
import pytest

from phase2.data.label_remarks import find_sentinels, label_remarks, refuse_sentinels
from phase2.data.sources.sample import SampleSource
from phase2.errors import DataError
from phase2.properties import PROPERTIES, believed_range, get_property

GOOD = {
    "formation_energy": -2.0, "band_gap": 1.5, "bulk_modulus": 100.0, "shear_modulus": 50.0, "band_gap_mbj": 2.0,
    "dielectric": 12.0, "piezoelectric": 0.5, "spillage": 0.3, "ehull": 0.0,
}  # fmt: skip


def column(key, *odd, count=16):
    """Return labels of one property: plausible ones, and some odd ones in front."""
    values = np.full((count, 1), GOOD[key], dtype=np.float32)
    values[: len(odd), 0] = odd
    return values, (get_property(key),), np.array([f"x{k}" for k in range(count)])


@pytest.mark.parametrize("key", GOOD)
def test_right_labels_are_not_remarked_on(key):
    assert label_remarks(*column(key, np.nan, GOOD[key] / 2)) == []
    assert find_sentinels(*column(key, np.nan, np.nan)) == []
    low, high = believed_range(get_property(key))
    assert low < high


@pytest.mark.parametrize(
    ("key", "odd", "words"),
    [
        ("band_gap", [1e30], "band_gap: 1 of 16 labels are beyond reason, outside of 0 to 30 eV: 1e+30 (x0)."),
        ("band_gap", [-1.2, 2.0], "-1.2 (x0)."),
        ("formation_energy", [-4320.0], "-4320 (x0)."),
        ("dielectric", [3_290_000.0], "3.29e+06 (x0)."),
        ("bulk_modulus", [-20.08], "-20.08 (x0)."),
        ("ehull", [50, 60, 70, 80, 90], "90 (x4), 80 (x3), 70 (x2) and 2 more."),
    ],
)
def test_odd_labels_are_named(key, odd, words):
    (remark,) = label_remarks(*column(key, *odd))
    assert words in remark
    assert "Another unit?" not in remark


def test_a_column_in_another_unit_is_recognised():
    values = np.linspace(-4320, -1000, 16)
    (remark,) = label_remarks(*column("formation_energy", *values))
    assert "Another unit? The heading of a column says it, such as formation_energy [meV/atom]." in remark
    assert find_sentinels(*column("formation_energy", *values)) == []


@pytest.mark.parametrize(
    ("key", "value", "times"),
    [
        ("bulk_modulus", -999, 15),
        ("bulk_modulus", -999, 1),
        ("shear_modulus", -9999, 1),
        ("band_gap", -99, 2),
        ("band_gap", -1, 3),
        ("band_gap", -1, 16),
        ("dielectric", -2, 5),
        ("piezoelectric", 9999, 3),
        ("bulk_modulus", 99999, 4),
        ("formation_energy", -999, 3),
        ("formation_energy", 9999, 3),
        ("spillage", 1e30, 3),
        ("ehull", -1e20, 4),
        ("ehull", 9.96921e36, 3),
    ],
)
def test_numbers_for_missing_values_are_refused_with_their_count(key, value, times):
    with pytest.raises(DataError, match=rf"{times} labels? of {key} (is|are) .*such as that of 'x0'") as refused:
        refuse_sentinels(*column(key, *[value] * times))
    assert f"{np.float32(value):g}" in refused.value.what
    assert "empty" in refused.value.fix


@pytest.mark.parametrize(
    ("key", "odd"),
    [
        ("bulk_modulus", [-14.03, -20.08, -0.05]),
        ("band_gap", [-1, -1]),
        ("band_gap", [-0.5] * 5),
        ("band_gap", [0.0] * 16),
        ("formation_energy", [-1.0] * 16),
        ("formation_energy", [-4320, -999]),
        ("dielectric", [9999.0] * 5),
        ("band_gap", [1e30, 2e30, 3e30]),
    ],
)
def test_calculations_that_failed_are_no_words(key, odd):
    refuse_sentinels(*column(key, *odd))


def test_every_property_has_a_range_that_holds_the_sample():
    source = SampleSource()
    targets = np.array([source.parse(raw).targets for raw in source.records()])
    ids = np.array([str(k) for k in range(len(targets))])
    assert label_remarks(targets, PROPERTIES, ids) == []
    refuse_sentinels(targets, PROPERTIES, ids)
