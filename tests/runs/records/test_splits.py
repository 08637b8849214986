"""What is said of the split of a run and of its leakage, down to a single crystal."""

import pytest

from phase2.runs.records.splits import Leakage, SplitFacts


def leakage(**counts):
    return Leakage(**{"test": 8, "twins": 2, "near_twins": 0, "tolerance": 0.1, "same_composition": 0} | counts)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            {"same_prototype": 2},
            "2 of 8 test crystals (25.0 %) are nearly in the training part: 2 have a twin, 0 a near-twin within 0.1 "
            "angstrom; 2 share composition and prototype with one.",
        ),
        (
            {"test": 1, "twins": 1, "same_prototype": 1},
            "1 of 1 test crystal (100.0 %) is nearly in the training part: 1 has a twin, 0 a near-twin within 0.1 "
            "angstrom; 1 shares composition and prototype with one.",
        ),
    ],
)
def test_leakage_of_many_crystals_and_of_one(counts, said):
    assert leakage(**counts).sentence() == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (
            2,
            "2 ids of the split file are not in the data (a); 2 crystals of the data are not in the split file, and "
            "not used; 0 validation and 2 test crystals with a twin in the training part were left out",
        ),
        (
            1,
            "1 id of the split file is not in the data (a); 1 crystal of the data is not in the split file, and not "
            "used; 0 validation and 1 test crystal with a twin in the training part were left out",
        ),
    ],
)
def test_remarks_on_many_crystals_and_on_one(count, said):
    facts = SplitFacts(
        name="file", seed=1, fractions=(0.8, 0.1, 0.1), missing=count, missing_ids=("a",), outside=count,
        dropped_val=0, dropped_test=count,
    )  # fmt: skip
    assert "; ".join(facts.remarks()) == said
