"""The parts of a run's records that the page shows; other fields are ignored, so that newer runs can be shown too."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from phase2.config.resolve import flatten
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.layout import BEST, HANDOFF, REPORT
from phase2.runs.page.row import LOG_LOSS, Handoff, PageRun, PropertyErrors
from phase2.runs.records.attempts import Attempt
from phase2.storage.records import Counted

_HANDED_ON = (BEST, HANDOFF, "MODEL_CARD.md")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class _Metrics(_Part):
    key: str
    unit: str = ""
    mae: float | None = None
    baseline_mae: float | None = None
    binary: bool = False
    log_loss: float | None = None
    baseline_log_loss: float | None = None

    @property
    def error(self) -> float | None:
        return self.log_loss if self.binary else self.mae


class _Baseline(_Part):
    key: str
    boosting_val_mae: float | None = None


class _Data(_Part):
    source: str
    train: Counted | None = None


class _Code(_Part):
    phase2: str
    commit: str | None = None


class _Hardware(_Part):
    cpu: str = ""
    gpu: str | None = None


class _Place(_Part):
    host: str = ""
    pod: str | None = None


class _Source(_Part):
    run_id: str


class _Lineage(_Part):
    source: _Source


class _File(_Part):
    path: str


class RecordedPart(_Part):
    """Part of a recorded configuration.

    Attributes:
        command: The command line that repeats the request.
        config: The configuration.
        lineage: What the run started from.
    """

    command: tuple[str, ...] = ()
    config: dict[str, JsonValue]
    lineage: _Lineage | None = None

    def describe(self, summary: RunSummary, attempts: Sequence[Attempt]) -> PageRun:
        """Return what the page shows of a run without a manifest."""
        return self._run(summary, attempts, "resumable")

    def _run(self, summary: RunSummary, attempts: Sequence[Attempt], handoff: Handoff) -> PageRun:
        settings = dict(flatten(self.config))
        return PageRun(
            summary=summary,
            handoff=handoff,
            source=_text(settings.get("data.source")),
            split=_split(settings),
            seed=_whole(settings.get("seed")),
            planned=_whole(settings.get("training.epochs")),
            attempts=len(attempts),
            resumed=sum(attempt.resumed_from is not None for attempt in attempts),
            reason=attempts[-1].reason if attempts else "",
            seconds=_seconds(attempts),
            host=attempts[-1].host if attempts else "",
            started_from=self.lineage.source.run_id if self.lineage else None,
            command=shlex.join(self.command),
            settings=settings,
        )


class ManifestPart(RecordedPart):
    """Part of a manifest.

    Attributes:
        status: How the run ended.
        attempts: The processes that trained it.
        val: Errors on the validation part.
        test: Errors on the test part.
        baselines: Errors of the baselines.
        data: The data.
        code: The code.
        hardware: The hardware of the last attempt.
        place: Where the last attempt ran.
        mean_epoch_seconds: Mean duration of an epoch, seconds.
        artifacts: Its files.
    """

    status: Literal["finished", "failed", "interrupted"]
    attempts: tuple[Attempt, ...]
    val: tuple[_Metrics, ...] = ()
    test: tuple[_Metrics, ...] = ()
    baselines: tuple[_Baseline, ...] = ()
    data: _Data | None = None
    code: _Code
    hardware: _Hardware
    place: _Place
    mean_epoch_seconds: float | None = None
    artifacts: tuple[_File, ...] = ()

    def describe(self, summary: RunSummary, attempts: Sequence[Attempt] = ()) -> PageRun:
        """Return what the page shows of a run with a manifest."""
        paths = {file.path for file in self.artifacts}
        missing = tuple(name for name in _HANDED_ON if name not in paths) if self.status == "finished" else ()
        run = self._run(summary, attempts or self.attempts, self._handoff(missing))
        own = {
            "missing": missing,
            "errors": self._errors(),
            "crystals": self.data.train if self.data else None,
            "epoch_seconds": self.mean_epoch_seconds,
            "hardware": self.hardware.gpu or self.hardware.cpu,
            "host": self.place.pod or self.place.host or run.host,
            "code": f"{self.code.phase2} ({self.code.commit[:12]})" if self.code.commit else self.code.phase2,
            "has_report": REPORT in paths,
        }
        return run.model_copy(update=own | ({"source": self.data.source} if self.data else {}))

    def _handoff(self, missing: Sequence[str]) -> Handoff:
        if self.status == "finished":
            return "incomplete" if missing else "ready"
        return "resumable" if self.status == "interrupted" else "none"

    def _errors(self) -> dict[str, PropertyErrors]:
        test = {row.key: row.error for row in self.test}
        boosting = {row.key: row.boosting_val_mae for row in self.baselines}
        return {
            row.key: PropertyErrors(
                unit=LOG_LOSS if row.binary else row.unit,
                val=row.error,
                test=test.get(row.key),
                median=row.baseline_log_loss if row.binary else row.baseline_mae,
                boosting=boosting.get(row.key),
            )
            for row in self.val
        }


def _seconds(attempts: Sequence[Attempt]) -> float | None:
    times = [attempt.end - attempt.start for attempt in attempts if attempt.end is not None]
    return sum(times, timedelta()).total_seconds() if times else None


def _split(settings: Mapping[str, object]) -> str:
    grouped = "by composition" if settings.get("data.group_by") == "composition" else "random"
    method = settings.get("data.split") or grouped
    return f"{method}, seed {settings.get('data.split_seed', '-')}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
