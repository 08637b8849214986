"""What the page of all runs shows of one of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from phase2.runs.catalog.summary import RunSummary
from phase2.storage.records import Counted, Record

Handoff = Literal["ready", "incomplete", "resumable", "none"]
"""Whether a run can be handed to somebody who uses it: ``ready`` with its model, hand-off page and model card;
``incomplete`` where one of them is absent; ``resumable`` before it is finished; ``none`` after it failed."""


LOG_LOSS = "log loss"


class PropertyErrors(Record):
    """Errors of one property, in its unit, and what they are measured against.

    Of a binary property they are log losses, the baseline that of the share of true training labels.

    Attributes:
        unit: The unit; empty for a number without one, ``LOG_LOSS`` for a binary property.
        val: Validation MAE.
        test: Test MAE: shown of a run, and never sorted by.
        median: Validation MAE of predicting the median of the training labels.
        boosting: Validation MAE of gradient boosting; None where it was not computed.
    """

    unit: str
    val: float | None = None
    test: float | None = None
    median: float | None = None
    boosting: float | None = None


class PageRun(Record):
    """One run of the page.

    Attributes:
        summary: What lists of runs show.
        handoff: Whether it can be handed on.
        missing: Files that a hand-off has and this run lacks.
        errors: Errors by property.
        source: Name or path of its data set; empty where it ended before they were read.
        split: How its crystals were divided.
        crystals: Crystals it trained on; None where that is unknown.
        seed: Its seed.
        planned: Epochs requested.
        attempts: Processes that trained it.
        resumed: How many of them continued from a checkpoint.
        reason: Why the last one ended, in words; empty where it finished.
        seconds: Time of all attempts whose end is known, seconds.
        epoch_seconds: Mean duration of an epoch, seconds.
        hardware: Name of the GPU, or of the processor.
        host: Pod or machine of the last attempt.
        code: Version of phase2, and the commit.
        started_from: Run whose weights it started from; None for random ones.
        command: The command line that repeats it.
        has_report: Whether it has a ``report.html``.
        settings: Its configuration by dotted path.
    """

    summary: RunSummary
    handoff: Handoff
    missing: tuple[str, ...] = ()
    errors: dict[str, PropertyErrors] = Field(default_factory=dict)
    source: str = ""
    split: str = ""
    crystals: Counted | None = None
    seed: int | None = None
    planned: Counted | None = None
    attempts: Counted = 0
    resumed: Counted = 0
    reason: str = ""
    seconds: float | None = None
    epoch_seconds: float | None = None
    hardware: str = ""
    host: str = ""
    code: str = ""
    started_from: str | None = None
    command: str = ""
    has_report: bool = False
    settings: dict[str, JsonValue] = Field(default_factory=dict)


def with_summary(run: PageRun, **fields: object) -> PageRun:
    """Return a run whose summary has these fields."""
    return run.model_copy(update={"summary": run.summary.model_copy(update=fields)})


class Curves(Record):
    """Learning curves of one run: one number per epoch in each list.

    Attributes:
        train_loss: Mean loss of the steps.
        val_loss: Loss on the validation part.
        score: Validation score.
        lr: Learning rate.
        seconds: Wall time of the epoch, seconds.
        mae: Validation MAE, or log loss, by property; None where it has no label.
    """

    train_loss: tuple[float, ...]
    val_loss: tuple[float, ...]
    score: tuple[float, ...]
    lr: tuple[float, ...]
    seconds: tuple[float, ...]
    mae: dict[str, tuple[float | None, ...]]
