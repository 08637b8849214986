"""The report as Markdown tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.gpu.record.report import Report
from bench.gpu.record.rows import (
    BaselineRow,
    DeviceRow,
    FailureRow,
    FirstStepRow,
    LawRow,
    PredictionRow,
    ProfileRow,
    SkippedRow,
    Spread,
    TrainingRow,
)


def markdown(report: Report) -> str:
    """Write all tables; a section without a row has none."""
    parts = [
        _heading(report, report.device),
        _laws(report.laws),
        _training(report.rows(TrainingRow)),
        _profiles(report.rows(ProfileRow)),
        _baselines(report.rows(BaselineRow)),
        _predictions(report.rows(PredictionRow)),
        _first_steps(report.rows(FirstStepRow)),
        _missing(report),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _heading(report: Report, device: DeviceRow) -> str:
    memory = "" if device.memory_bytes is None else f" ({device.memory_bytes / 2**30:.0f} GiB)"
    names = {"driver": device.driver, "CUDA": device.cuda, **device.versions}
    versions = ", ".join(f"{name} {version}" for name, version in names.items() if version)
    quick = " Shortened to try the check itself: its times mean nothing." if report.quick else ""
    return (
        f"## {device.name}{memory}\n\n{report.time}, {report.seconds:.0f} s.{quick} {device.cpu}, "
        f"{device.cores:g} cores; {versions}."
    )


def _laws(rows: Sequence[LawRow]) -> str:
    """Write one line per law with its largest difference; one that fails or has a note has a line for itself."""
    groups: dict[tuple[str, str], list[LawRow]] = {}
    for row in rows:
        alone = row.subject if row.note or not row.holds else ""
        groups.setdefault((row.law, alone), []).append(row)
    return _table("Laws", ("law", "of", "largest difference", "allowed", "holds"), map(_law, groups.values()))


def _law(rows: Sequence[LawRow]) -> Sequence[str]:
    first = rows[0]
    gaps = [row.gap for row in rows if row.gap is not None]
    subjects = ", ".join(row.subject for row in rows) + (f": {first.note}" if first.note else "")
    gap = _number(max(gaps, default=None), ".1e")
    return first.law, subjects, gap, f"{first.tolerance:.1e}", "yes" if first.holds else "**no**"


def _training(rows: Sequence[TrainingRow]) -> str:
    cells = (
        (
            r.network.title,
            r.network.precision,
            r.network.feature,
            f"{r.crystals_per_second:,.0f}",
            _spread(r.loaded_ms),
            _spread(r.step_ms),
            f"{_number(r.optimizer_share, '.0%')} ({r.optimizer})",
            _megabytes(r.peak_bytes),
        )
        for r in rows
    )
    columns = ("network", "precision", "with", "crystals/s", "step, ms", "step without loading, ms", "optimiser", "MB")
    return _table("Training", columns, cells)


def _profiles(rows: Sequence[ProfileRow]) -> str:
    cells = (
        (
            r.network.title,
            r.network.feature,
            f"{r.step_ms:.3g}",
            _number(r.busy_ms, ".3g"),
            _number(r.idle_share, ".0%"),
            _number(r.launches, ".0f"),
            f"{r.operators:.0f}",
            f"{r.host_reads:.0f}",
            _number(r.synchronisations, ".0f"),
        )
        for r in rows
    )
    columns = ("network", "with", "step, ms", "busy, ms", "idle", "launches", "operators", "host reads", "waits")
    return _table("A training step", columns, cells)


def _baselines(rows: Sequence[BaselineRow]) -> str:
    cells = ((r.network.title, r.baseline, _spread(r.baseline_ms), _spread(r.step_ms), f"{r.ratio:.2f}") for r in rows)
    return _table("Baselines", ("network", "baseline", "its step, ms", "phase2, ms", "ratio"), cells)


def _predictions(rows: Sequence[PredictionRow]) -> str:
    cells = (
        (
            f"{r.network.algorithm} {r.network.size}",
            r.network.feature,
            str(r.crystals),
            f"{r.crystals_per_second:,.0f}",
            _spread(r.batch_ms),
            _megabytes(r.peak_bytes),
        )
        for r in rows
    )
    return _table("Prediction", ("network", "with", "batch", "crystals/s", "batch, ms", "MB"), cells)


def _first_steps(rows: Sequence[FirstStepRow]) -> str:
    cells = (
        (r.network.title, *(f"{s:.1f}" for s in (r.imports, r.data, r.model, r.first_step)), f"{r.total:.1f}")
        for r in rows
    )
    columns = ("network", "imports, s", "crystals, s", "model, s", "first step, s", "all, s")
    return _table("From the start of a process to its first step", columns, cells)


def _missing(report: Report) -> str:
    lines = [f"- {s.name} failed: {s.error}" for s in report.sections if s.status == "failed"]
    lines += [f"- {row.what} failed: {row.error}" for row in report.rows(FailureRow)]
    lines += [f"- {row.what}: {row.why}" for row in report.rows(SkippedRow)]
    return "\n".join(["### Not measured", "", *lines]) if lines else ""


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = [_line(row) for row in rows]
    return "\n".join([f"### {title}", "", _line(columns), "|" + "---|" * len(columns), *body]) if body else ""


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def _spread(spread: Spread) -> str:
    return f"{spread.median:.3g} ({spread.lowest:.3g} to {spread.highest:.3g})"


def _number(value: float | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)


def _megabytes(count: int | None) -> str:
    return "not measured" if count is None else f"{count / 1e6:,.0f}"
