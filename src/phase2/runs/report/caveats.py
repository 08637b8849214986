"""Caveats about a model, derived from its errors."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.output.markdown_text import Markup, markdown_text
from phase2.output.wording import counted
from phase2.properties import Property, get_property
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.markdown import number

FEW_LABELS = 30


def caveats(test: Sequence[PropertyMetrics], left_out: Sequence[str], own: Sequence[Property] = ()) -> list[str]:
    """List what a user of the model must know about its errors, in Markdown.

    Args:
        test: Errors on the test part.
        left_out: Properties that were asked for and have no label.
        own: Properties that the run defines.
    """
    titles = {key: _title(get_property(key, own)) for key in (*(result.key for result in test), *left_out)}
    found = [caveat for result in test for caveat in _caveats(result, titles[result.key])] + [
        f"{titles[key]} was asked for and not trained: the data have no label to train on." for key in left_out
    ]
    return list(map(Markup, found))


def _caveats(result: PropertyMetrics, title: str) -> list[str]:
    if result.count == 0:
        return [f"{title} has no test label: nothing is known about its errors."]
    found = []
    if result.error is None:
        found.append(f"{title} has predictions that are not finite numbers: do not use them.")
    if result.ratio is not None and result.ratio >= 1:
        found.append(
            f"{title} is predicted no better than by the {_baseline(result)} of the training labels "
            f"({number(result.error)} against {number(result.baseline_error)} {markdown_text(result.unit)}".rstrip()
            + "): do not use these predictions."
        )
    if result.count < FEW_LABELS:
        found.append(f"{title} has only {counted(result.count, 'test label')}: its errors are uncertain.")
    return found


def _baseline(result: PropertyMetrics) -> str:
    return "share of true ones" if result.is_binary else "median"


def _title(prop: Property) -> str:
    return f"{markdown_text(prop.title)} (`{prop.key}`)"
