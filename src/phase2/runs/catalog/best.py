"""The best of several runs: only runs whose validation errors compare are compared, and it is said which were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

from phase2.config.data.addresses import shown_address
from phase2.errors import RequestError, UnknownNameError
from phase2.output.wording import counted
from phase2.properties import KEYS
from phase2.runs.catalog.measures import error_name
from phase2.runs.catalog.same_data import error_kind
from phase2.runs.catalog.summary import AnyRun, RunSummary

SCORE = "score"
BEST = "best"
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class BestRuns(Generic[AnyRun]):
    """Finished runs whose validation errors compare, the best first.

    Attributes:
        runs: The runs, at least one.
        by: ``score``, or the property whose validation error ranks them: its MAE, or its log loss if it is binary.
    """

    runs: tuple[AnyRun, ...]
    by: str = SCORE

    def sentence(self) -> str:
        """Say what was compared: ``run 4f1c2a: best of 7 runs on sample, ..., by validation score``."""
        first = self.runs[0]
        measure = "validation score" if self.by == SCORE else f"validation {error_name(self.by, self.runs)}"
        if len(self.runs) == 1:
            what = "the only finished run" if self.by == SCORE else f"the only finished run with a {measure}"
            return f"run {first.run_id}: {what} on {described(first)}"
        return f"run {first.run_id}: best of {len(self.runs)} runs on {described(first)}, by {measure}"


def best_first(runs: Iterable[AnyRun], by: str = SCORE) -> list[AnyRun]:
    """Sort the finished runs that have the number to compare, the best first.

    Args:
        runs: The runs.
        by: ``score``, or a property to compare by validation MAE, a binary one by log loss. Test errors are not
            available: choosing by them would leak test data into model selection.
    """
    finished = [run for run in runs if run.status == "finished"]
    ranked = [(value, run) for run in finished if (value := ranking_value(run, by)) is not None]
    return [run for _, run in sorted(ranked, key=lambda pair: (pair[0], pair[1].prefix))]


def ranking_value(run: RunSummary, by: str = SCORE) -> float | None:
    """Return the number that runs are ranked by; lower is better, None where a run has none."""
    return run.score if by == SCORE else run.val_errors.get(by)


def compare_best(runs: Iterable[AnyRun], by: str = SCORE) -> BestRuns[AnyRun]:
    """Rank runs, all of which have to be comparable.

    Scores compare between runs of the same properties, data and split; validation errors of one property between runs
    of the same data and split, whatever else they are trained for.

    Raises:
        RequestError: No run has the number, or they are not comparable; the groups that are, are named.
        UnknownNameError: ``by`` is no property, neither one of the nine nor one of the runs.
    """
    candidates = list(runs)
    known = dict.fromkeys([SCORE, *KEYS, *(key for run in candidates for key in run.properties)])
    if by not in known:
        raise UnknownNameError.of("measure", by, list(known))
    groups = comparable(candidates, by)
    if not groups:
        kind = "finished run with a score" if by == SCORE else f"finished run with a validation error of {by}"
        raise RequestError(f"There is no {kind} here.", fix="Name another store with --store, or train a run.")
    if len(groups) > 1:
        raise _several(groups, by)
    return BestRuns(tuple(groups[0]), by)


def comparable(runs: Iterable[AnyRun], by: str = SCORE) -> list[list[AnyRun]]:
    """Divide the finished runs that have the number into groups within which it compares, each with its best first.

    The largest group comes first.
    """
    groups: dict[object, list[AnyRun]] = {}
    for run in best_first(runs, by):
        groups.setdefault(_kind(run, by), []).append(run)
    return sorted(groups.values(), key=len, reverse=True)


def best_like(runs: Sequence[AnyRun], model: AnyRun) -> BestRuns[AnyRun]:
    """Rank the runs that compare with one of them; that one alone where it has no score."""
    found = next((group for group in comparable(runs) if model in group), [model])
    return BestRuns(tuple(found))


def measure_of(name: str) -> str | None:
    """Return what the name ``best`` or ``best:bulk_modulus`` ranks by; None for the name of a run."""
    first, _, key = name.partition(":")
    return (key or SCORE) if first == BEST and (key or ":" not in name) else None


def named_best(name: str, by: str | None) -> str:
    """Return the name of a run with the property of ``--for``, which makes ``best`` to ``best:bulk_modulus``.

    Raises:
        RequestError: Another run than ``best`` is named.
    """
    if by is None or name == f"{BEST}:{by}":
        return name
    if name != BEST:
        raise RequestError(
            f"--for {by} does not go with the run '{name}'.",
            why="It says by which property the best run is chosen.",
            fix="Name the run 'best', or drop --for.",
        )
    return f"{BEST}:{by}"


def described(run: RunSummary) -> str:
    """Describe the data of a run in a few words: ``sample, 5,698 crystals, composition split``."""
    crystals = f"{run.crystals:,} crystals" if run.crystals else None
    known = (run.source and shown_address(run.source), crystals, f"{run.split} split" if run.split else None)
    return ", ".join(word for word in known if word) or "unknown data"


def _kind(run: RunSummary, by: str) -> object:
    """Return what is equal for runs whose numbers compare; a run of unknown data compares with those of its kind."""
    if by == SCORE:
        return frozenset(run.properties), run.data
    return error_kind(run, by)


def _several(groups: Sequence[Sequence[RunSummary]], by: str) -> RequestError:
    total = sum(map(len, groups))
    defined = {group[0].own_labels.get(by) for group in groups}
    lines = [_line(group, by, defined=len(defined) > 1) for group in groups[:_SHOWN]]
    more = f"; and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    if by != SCORE:
        what = "data sets or splits" if len(defined) == 1 else "data sets, splits or definitions of the property"
        return RequestError(
            f"The {total} runs with a validation error of {by} are of {len(groups)} different {what}.",
            why=f"Their errors do not compare: {'; '.join(lines)}{more}.",
            fix="Name a run, or select one with 'phase2 runs best --data ... --split ... --seed ...'.",
        )
    if len({frozenset(group[0].properties) for group in groups}) == 1:
        return RequestError(
            f"The best of {total} runs is not defined: they differ in data or split.",
            why=f"Scores on different data do not compare: {'; '.join(lines)}{more}.",
            fix="Name a run, or select runs with 'phase2 runs best --data ... --split ...'.",
        )
    shared = set.intersection(*(set(group[0].properties) for group in groups))
    key = next((one for one in groups[0][0].properties if one in shared), groups[0][0].properties[0])
    return RequestError(
        f"The best of {total} runs is not defined: they differ in properties, data or split.",
        why=f"Scores of different tasks do not compare: {'; '.join(lines)}{more}.",
        fix=f"Say for which property, 'best:{key}' (or --for {key}), or name a run.",
    )


def _line(group: Sequence[RunSummary], by: str, *, defined: bool) -> str:
    first = group[0]
    keys = "" if by != SCORE else f" of {', '.join(first.properties)}"
    data = f" ({first.data[:8]})" if first.data else ""
    data += f", defined as {first.own_labels[by]}" if defined and by in first.own_labels else ""
    return f"{counted(len(group), 'run')}{keys} on {described(first)}{data}, best {first.run_id}"
