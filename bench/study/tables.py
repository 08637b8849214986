"""Tables of a study in Markdown: errors by property over seeds, and what sharing costs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.study.recorded import Key, Measurement, StudyResult
from bench.study.rows import Row, Study, Variant
from phase2.output.wording import counted
from phase2.properties import get_property
from phase2.runs.report.markdown import markup_table

NOT_RUN = "Not run."


def legend(study: Study, results: Sequence[StudyResult], rows: Sequence[Row] = ()) -> str:
    """Return the table of what each variant tries, how many of its runs are known, and its settings.

    Args:
        study: The study.
        results: What is known of it.
        rows: Rows whose variants are listed; all of them for none.
    """
    listed = {row.variant.name for row in rows or study.rows()}
    cells = [
        (one.name, one.tries, _runs(study, one, results), " ".join(f"`{text}`" for text in _settings(one)) or "-")
        for one in study.variants
        if one.name in listed
    ]
    return markup_table(("variant", "what it tries", "runs", "settings"), cells)


def _runs(study: Study, variant: Variant, results: Sequence[StudyResult]) -> str:
    count = sum(one.run.row.variant.name == variant.name for one in results)
    return str(count) if count else "before recording" if variant.name in study.earlier else "not run"


def _settings(variant: Variant) -> tuple[str, ...]:
    epochs = () if variant.epochs is None else (f"training.epochs={variant.epochs}",)
    return (*variant.changes, *epochs, *(() if variant.source is None else (f"--from {variant.source}",)))


@dataclass(frozen=True, slots=True)
class StudyTables:
    """What is measured of a study so far.

    Attributes:
        study: The study.
        errors: Mean absolute errors of each run by property.
        seconds: Seconds of training of each run.
        measured_on: What the errors are measured on, for the titles: ``val``.
    """

    study: Study
    errors: Mapping[Key, Mapping[str, float]]
    seconds: Mapping[Key, float]
    measured_on: str

    def text(self) -> str:
        """Return a table of the runs of one property, and for each set of properties one of those that share a network
        and one of the runs of one property that start from these.
        """  # noqa: D205
        sets = self.study.together
        found = [self._alone(), *(part(name) for name in sets for part in (self._together, self._further))]
        return "\n\n".join(text for text in found if text) or NOT_RUN

    def _alone(self) -> str:
        targets = self.study.alone
        rows = []
        for variant in self.study.variants:
            if variant.source is not None:
                continue
            values = [self._of(variant.name, target, key) for key, target in targets.items()]
            seconds = sum(self._mean_seconds(variant.name, target) for target in targets.values())
            cells = [mean_and_spread(list(found.values())) for found in values]
            rows += _row(variant, cells, values, seconds)
        return _titled(f"Each property alone, {self.measured_on} MAE", list(targets), rows, "seconds of all")

    def _together(self, target: str) -> str:
        keys = self.study.targets[target]
        rows = []
        for variant in self.study.variants:
            values = [self._of(variant.name, target, key) for key in keys]
            cells = [self._shared(variant, key, found) for key, found in zip(keys, values, strict=True)]
            rows += _row(variant, cells, values, self._mean_seconds(variant.name, target))
        title = f"{target.capitalize()} properties together, {self.measured_on} MAE (relative to the property alone)"
        return _titled(title, keys, rows, "seconds")

    def _further(self, target: str) -> str:
        alone = {key: self.study.alone[key] for key in self.study.targets[target] if key in self.study.alone}
        rows = []
        for variant in self.study.variants:
            name, _, shared = (variant.source or "").partition("/")
            if shared != target:
                continue
            values = [self._of(variant.name, one, key) for key, one in alone.items()]
            cells = [self._shared(variant, key, found) for key, found in zip(alone, values, strict=True)]
            seconds = sum(self._mean_seconds(variant.name, one) for one in alone.values())
            rows += _row(variant, cells, values, seconds + self._mean_seconds(name, target))
        title = f"Each further from the run of {target}, {self.measured_on} MAE (relative to the property alone)"
        return _titled(title, list(alone), rows, "seconds of all")

    def _shared(self, variant: Variant, key: str, values: Mapping[int, float]) -> str:
        """Return an error and, in brackets, the mean over seeds of its ratio to the run of that property alone."""
        alone = self.study.alone.get(key)
        single = {} if alone is None else self._of(variant.alone or variant.name, alone, key)
        ratios = [value / single[seed] for seed, value in values.items() if single.get(seed)]
        return mean_and_spread(list(values.values())) + (f" ({statistics.mean(ratios):.2f})" if ratios else "")

    def _of(self, variant: str, target: str, key: str) -> dict[int, float]:
        """Return the errors of a property by seed."""
        return {k[2]: found[key] for k, found in self.errors.items() if k[:2] == (variant, target) and key in found}

    def _mean_seconds(self, variant: str, target: str) -> float:
        found = [seconds for key, seconds in self.seconds.items() if key[:2] == (variant, target)]
        return statistics.mean(found) if found else 0.0


def tables_of(study: Study, results: Sequence[StudyResult], part: str) -> StudyTables:
    """Return the tables of results, of their errors on ``val`` or else on the crystals that decided nothing."""
    errors = {one.key: found for one in results if (found := one.mae(part))}
    return StudyTables(study, errors, {one.key: one.measured.seconds for one in results}, part)


def report(study: Study, results: Sequence[StudyResult], rows: Sequence[Row] = ()) -> str:
    """Return what is known of a study: what each variant tries, where the results come from, and their tables.

    Tables of held-out errors have the runs for which these were looked at.

    Args:
        study: The study.
        results: What is known of it.
        rows: Rows that were asked for; all of them for none.
    """
    parts = [legend(study, results, rows)]
    if results:
        parts += [origin(results), tables_of(study, results, "val").text()]
    else:
        parts.append("No run is recorded." if study.earlier else NOT_RUN)
    if looked_at := [one for one in results if one.measured.heldout is not None]:
        parts.append(tables_of(study, looked_at, study.heldout_name).text())
    return "\n\n".join(parts)


def origin(results: Sequence[StudyResult]) -> str:
    """Return a line with the code, the hardware and the epochs of runs."""
    measured = [one.measured for one in results]
    codes = _distinct(f"{one.phase2} ({_commit(one)})" for one in measured)
    places = _distinct(f"{one.machine} (threads: {one.threads or 'unknown'})" for one in measured)
    epochs = _distinct(str(one.run.epochs) for one in results)
    seeds = ", ".join(str(seed) for seed in sorted({one.run.seed for one in results}))
    return f"{counted(len(results), 'run')} of phase2 {codes} on {places}; epochs {epochs}, seeds {seeds}."


def _commit(measured: Measurement) -> str:
    """Return the commit of a run's code, and whether the checkout had other changes."""
    return (measured.commit or "no commit")[:9] + (" with changes" if measured.changed else "")


def mean_and_spread(values: Sequence[float]) -> str:
    """Return three digits of the mean, and the sample standard deviation to the same decimal place; a dash for none."""
    if not values:
        return "-"
    mean = statistics.mean(values)
    decimals = max(0, 2 - math.floor(math.log10(abs(mean)))) if mean else 0
    spread = f" ± {statistics.stdev(values):.{decimals}f}" if len(values) > 1 else ""
    return f"{mean:.{decimals}f}{spread}"


def _row(
    variant: Variant, cells: Sequence[str], values: Sequence[Mapping[int, float]], seconds: float
) -> list[Sequence[str]]:
    """Return the row of a variant; none where nothing of it is measured."""
    if not any(values):
        return []
    counts = {len(found) for found in values if found}
    seeds = str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return [(variant.name, *cells, seeds, f"{seconds:.0f}")]


def _titled(title: str, keys: Sequence[str], rows: Sequence[Sequence[str]], seconds: str) -> str:
    if not rows:
        return ""
    columns = ("variant", *(get_property(key).heading for key in keys), "seeds", seconds)
    return f"{title}:\n\n{markup_table(columns, rows, numeric=len(columns) - 1)}"


def _distinct(texts: Iterable[str]) -> str:
    *first, last = dict.fromkeys(texts)
    return f"{', '.join(first)} and {last}" if first else last
