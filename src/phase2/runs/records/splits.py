"""How the crystals of a run were divided, and what its test part shares with its training part."""

from __future__ import annotations

from phase2.output.wording import counted
from phase2.storage.records import Counted, Record

MOST_IDS = 20
"""Ids of a split file that are named where the data set does not have them."""


class SplitFacts(Record):
    """How the crystals of a run were divided.

    Attributes:
        name: Name of the split: ``random``, ``kfold:5/1``, ...
        seed: Its seed.
        fractions: Sizes of training, validation and test part that were asked for; of a fold, a file or an element, the
            first two divide what is not tested on.
        file_sha256: SHA-256 of the split file; null without one.
        missing: Ids of the split file that the data set does not have.
        missing_ids: The first of them.
        outside: Crystals of the data set that the split file does not name: they are in no part.
        dropped_val: Validation crystals left out for a twin in the training part; null where this was not asked for.
        dropped_test: Test crystals likewise.
    """

    name: str
    seed: Counted
    fractions: tuple[float, float, float]
    file_sha256: str | None = None
    missing: Counted = 0
    missing_ids: tuple[str, ...] = ()
    outside: Counted = 0
    dropped_val: Counted | None = None
    dropped_test: Counted | None = None

    def remarks(self) -> list[str]:
        """Return what a reader must know beyond the name."""
        found = []
        if self.missing:
            named = ", ".join(self.missing_ids[:5]) + (", ..." if self.missing > 5 else "")
            missing = counted(self.missing, "id")
            found.append(f"{missing} of the split file {_are(self.missing)} not in the data ({named})")
        if self.outside:
            outside = counted(self.outside, "crystal")
            found.append(f"{outside} of the data {_are(self.outside)} not in the split file, and not used")
        if self.dropped_test is not None:
            found.append(
                f"{self.dropped_val or 0:,} validation and {counted(self.dropped_test, 'test crystal')} with a twin in "
                "the training part were left out"
            )
        return found


class TwinErrors(Record):
    """Test errors of one property, for crystals with and without a twin or near-twin in the training part.

    Attributes:
        key: The property.
        unit: Unit of the errors; empty for a number without one, ``log loss`` for a binary property, whose errors are
            that.
        twins: Labelled test crystals with one.
        twins_mae: Their mean absolute error, or log loss; null where there are none.
        others: Labelled test crystals without.
        others_mae: Likewise; null where there are none.
    """

    key: str
    unit: str
    twins: Counted
    twins_mae: float | None
    others: Counted
    others_mae: float | None


class Leakage(Record):
    """Test crystals that are nearly the same as a training crystal.

    Attributes:
        test: Test crystals.
        twins: Those with a twin: the same quotient graph, lengths within 0.001 angstrom.
        near_twins: Those with a near-twin and no twin: the same composition, the same distances within ``tolerance``.
        tolerance: Largest difference of two distances of near-twins, angstrom.
        same_composition: Test crystals with a composition of the training part.
        same_prototype: Test crystals with composition and prototype of a training crystal; null where the symmetry of
            the crystals was not known and there were too many to find it.
        errors: Errors on the crystals with twins and near-twins and on the others, by property.
    """

    test: Counted
    twins: Counted
    near_twins: Counted
    tolerance: float
    same_composition: Counted
    same_prototype: Counted | None = None
    errors: tuple[TwinErrors, ...] = ()

    def sentence(self) -> str:
        """Say how many test crystals have a twin or near-twin."""
        both = self.twins + self.near_twins
        share = f" ({100 * both / self.test:.1f} %)" if self.test else ""
        if self.same_prototype is None:
            prototype = "how many share composition and prototype was not looked for"
        else:
            share_it = "shares" if self.same_prototype == 1 else "share"
            prototype = f"{self.same_prototype:,} {share_it} composition and prototype with one"
        return (
            f"{both:,} of {counted(self.test, 'test crystal')}{share} {_are(both)} nearly in the training part: "
            f"{self.twins:,} {'has' if self.twins == 1 else 'have'} a twin, {self.near_twins:,} a near-twin within "
            f"{self.tolerance:g} angstrom; {prototype}."
        )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
