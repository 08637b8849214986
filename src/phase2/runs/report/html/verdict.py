"""How good a run is, in one sentence, computed from its test errors and those of the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from phase2.output.wording import counted
from phase2.runs.report.caveats import FEW_LABELS
from phase2.runs.report.foundation import foundation_caveats
from phase2.runs.report.html.errors import PropertyErrors, binary_results, joined, titles
from phase2.runs.report.html.inputs import RunInput

_ENDED = {"failed": "failed", "killed": "was killed", "interrupted": "was interrupted", "running": "is running"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement.

    Attributes:
        level: ``good``, ``warn``, ``bad``, or empty where nothing can be said.
        sentence: The judgement.
        details: What it rests on, further sentences.
    """

    level: Literal["good", "warn", "bad", ""]
    sentence: str
    details: tuple[str, ...] = ()


def judge(run: RunInput, errors: Sequence[PropertyErrors]) -> Verdict:
    """Judge a run.

    A difference counts where it exceeds the 95 % margin of the model's error.
    """
    if run.status != "finished":
        return Verdict("", *_unfinished(run))
    measured = [one for one in errors if one.against_median is not None]
    binary = _binary(run)
    if not measured:
        none = Verdict("", "Nothing is known of its errors: no test crystal has a label.")
        return replace(binary or none, details=_circumstances(run))
    useless = [one for one in measured if one.against_median != "better"]
    compared = [one for one in measured if one not in useless and one.against_boosting is not None]
    level, sentence = _sentence(measured, useless, compared)
    if binary is not None:
        level = "warn" if level == "good" and binary.level == "bad" else level
        sentence = f"{sentence} {binary.sentence}"
    return Verdict(level, sentence, _circumstances(run))


def cautions(run: RunInput, errors: Sequence[PropertyErrors]) -> list[str]:
    """Return what makes the errors of a run less than they seem: odd or few labels, and what was seen before."""
    manifest = run.manifest
    if manifest is None:
        return []
    few = [one.prop.title.lower() for one in errors if 0 < one.row.count < FEW_LABELS]
    few += [prop.title.lower() for prop, one in binary_results(run) if one.count < FEW_LABELS]
    return [
        *([f"Labels of {remark}" for remark in manifest.data.remarks] if manifest.data else []),
        *foundation_caveats(manifest.config, manifest.properties),
        *(manifest.lineage.caveats() if manifest.lineage else []),
        *([f"Fewer than {FEW_LABELS} test labels of {joined(few)}: these errors are uncertain."] if few else []),
    ]


def _sentence(
    measured: Sequence[PropertyErrors], useless: Sequence[PropertyErrors], compared: Sequence[PropertyErrors]
) -> tuple[Literal["good", "warn", "bad"], str]:
    if len(useless) == len(measured):
        what = "no property is" if len(measured) > 1 else f"{titles(useless)} is not"
        return "bad", f"Not usable: {what} predicted better than by the median of the training labels."
    useful = [one for one in measured if one not in useless]
    warning = f"; not usable for {titles(useless)}, no better than the median" if useless else ""
    if not compared:
        return "warn", (
            f"Better than the median in {_which(useful, measured)}, with errors {_factor(useful)} smaller; "
            f"gradient boosting was not fitted, so how much that is worth is open{warning}."
        )
    won, level, lost = (
        [one for one in compared if one.against_boosting == standing] for standing in ("better", "level", "worse")
    )
    if len(won) == len(measured):
        return "good", (
            f"Good: in {_which(won, measured)} its test errors are below those of gradient boosting, "
            f"and {_factor(won)} smaller than the median's."
        )
    standings = (("better than", won), ("level with", level), ("worse than", lost))
    parts = [f"{words} gradient boosting in {titles(some)}" for words, some in standings if some]
    parts[1:] = [part.replace("gradient boosting", "it") for part in parts[1:]]
    word = "Mixed" if won else "Weak" if lost else "Fair"
    return ("warn" if won or not lost else "bad"), f"{word}: {', '.join(parts)}{warning}."


def _binary(run: RunInput) -> Verdict | None:
    """Judge what is true or false by its log loss beside that of the share of true labels; None without such labels."""
    better: list[str] = []
    others: list[str] = []
    alike: list[str] = []
    for prop, one in binary_results(run):
        baseline = one.baseline_log_loss
        where = alike if baseline is None else better if (one.log_loss or 0) < baseline else others
        where.append(prop.title.lower())
    parts = (
        (better, "Better than the share of true training labels in {}, by log loss."),
        (others, "Not usable for {}: its log loss is no lower than that of the share of true training labels."),
        (alike, "Nothing to compare {} with: all training labels are alike."),
    )
    said = [words.format(joined(names)) for names, words in parts if names]
    return Verdict("warn" if better else "bad" if others else "", " ".join(said)) if said else None


def _which(some: Sequence[PropertyErrors], measured: Sequence[PropertyErrors]) -> str:
    if len(some) == len(measured) and len(measured) > 1:
        return "both properties" if len(measured) == 2 else f"all {len(measured)} properties"
    return titles(some)


def _factor(errors: Sequence[PropertyErrors]) -> str:
    factors = sorted(one.row.times_better for one in errors if one.row.times_better)
    if not factors:
        return "somewhat"
    low, high = f"{factors[0]:.1f}", f"{factors[-1]:.1f}"
    return f"{low} times" if low == high else f"{low} to {high} times"


def _circumstances(run: RunInput) -> tuple[str, ...]:
    manifest = run.manifest
    if manifest is None or manifest.data is None:
        return ()
    data = manifest.data
    found = [
        f"Trained for {counted(manifest.epochs or 0, 'epoch')} on {counted(data.train, 'crystal')} of {data.source}; "
        f"measured on {counted(data.test, 'test crystal')} outside its training part."
    ]
    if 1 < (manifest.best_epoch or 0) == manifest.epochs and manifest.config.training.patience is None:
        found.append("The best epoch is the last: it was still improving.")
    return tuple(found)


def _unfinished(run: RunInput) -> tuple[str, tuple[str, ...]]:
    last = run.attempts[-1] if run.attempts else None
    done = f" after {len(run.history)} of {counted(run.config.training.epochs, 'epoch')}" if run.history else ""
    sentence = f"This run {_ENDED.get(run.status, 'did not finish')}{done}."
    return sentence, tuple(filter(None, (last.reason if last else "", _hint(run))))


def _hint(run: RunInput) -> str:
    if run.status == "failed":
        return "Once the cause is removed, continue it with the same command and --resume."
    return "Continue it with the same command and --resume." if run.status in ("interrupted", "killed") else ""
