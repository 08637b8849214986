"""How well intervals hold on the test part, as a table and as a section of a run's pages."""

from __future__ import annotations

from collections.abc import Iterable

from phase2.runs.records.intervals import LEVELS, PropertyIntervals
from phase2.runs.report.markdown import number, table

_SECTION = """\
{heading} How sure

`phase2 predict --interval 0.9` adds the ends of intervals that are made to hold nine of ten true values. On the test
part they held these shares, with the mean width in brackets:

{table}

*Widest / narrowest* is the mean error of the tenth of the test crystals with the widest intervals over that of the
tenth with the narrowest: at 1 the width would say nothing. *Novel* is the share of them that is flagged as unlike the
training crystals. With few labels, the shares scatter: by 0.03 for 100 labels at 0.9. `calibration.png` shows them."""


def intervals_section(intervals: Iterable[PropertyIntervals], *, heading: str = "##") -> str:
    """Write the section on intervals, in Markdown; empty for a run that has none."""
    found = tuple(intervals)
    if not found:
        return ""
    headings = columns()
    return _SECTION.format(heading=heading, table=table(headings, rows(found), numeric=len(headings) - 2))


def columns() -> tuple[str, ...]:
    """Return the headings of the table."""
    return ("property", "unit", *(f"{level:g}" for level in LEVELS), "widest / narrowest", "novel", "val / test labels")


def rows(intervals: Iterable[PropertyIntervals]) -> list[tuple[str, ...]]:
    """Return one row per property; a dash where there are too few labels."""
    return [
        (
            one.key,
            one.unit or "-",
            *(_held(one, level) for level in LEVELS),
            number(one.contrast),
            "-" if one.novel is None else f"{one.novel:.1%}",
            f"{one.val_labels} / {one.test_labels}",
        )
        for one in intervals
    ]


def _held(intervals: PropertyIntervals, level: float) -> str:
    found = intervals.at(level)
    return "-" if found is None else f"{found.coverage:.2f} ({number(found.mean_width)})"
