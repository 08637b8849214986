"""How well the intervals of a model hold on its test part."""

from __future__ import annotations

from phase2.storage.records import Counted, Record

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""The levels that tables show."""

CURVE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""The levels that are measured, for the calibration curve."""


class LevelCoverage(Record):
    """Intervals of one level.

    Attributes:
        level: Share of labels that the intervals are made to hold.
        coverage: Share of test labels that they hold.
        mean_width: Mean width, physical units.
    """

    level: float
    coverage: float
    mean_width: float


class PropertyIntervals(Record):
    """Intervals of one property on the test part.

    Attributes:
        key: The property.
        unit: Unit of widths and errors; empty for a number without one.
        val_labels: Validation labels that the intervals are calibrated on.
        test_labels: Test labels that they are compared with.
        levels: Their coverage and width; without the levels that need more validation labels.
        narrow_mae: Mean absolute error of the tenth of the test crystals with the narrowest intervals; null where
            there is no test label, or no interval.
        wide_mae: The same of the tenth with the widest.
        error_by_tenth: Mean absolute error of each tenth of the labelled test crystals, those with the narrowest
            intervals first; empty where there are fewer than ten of them, or no interval.
        novel: Share of the labelled test crystals that are flagged as unlike the training crystals; null without any.
    """

    key: str
    unit: str
    val_labels: Counted
    test_labels: Counted
    levels: tuple[LevelCoverage, ...] = ()
    narrow_mae: float | None = None
    wide_mae: float | None = None
    error_by_tenth: tuple[float, ...] = ()
    novel: float | None = None

    @property
    def contrast(self) -> float | None:
        """Error where intervals are widest / error where they are narrowest: 1 if the width says nothing."""
        return self.wide_mae / self.narrow_mae if self.wide_mae is not None and self.narrow_mae else None

    def at(self, level: float) -> LevelCoverage | None:
        """Return the measurement of one level; None where there is none."""
        return next((one for one in self.levels if one.level == level), None)
