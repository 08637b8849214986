"""What the page is given: all runs of a store, as JSON in a script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from phase2.output.secrets import without_secrets
from phase2.output.visible import cell, line
from phase2.properties import KEYS, PROPERTIES
from phase2.runs.page.row import LOG_LOSS, PageRun, PropertyErrors
from phase2.runs.page.scripts import script
from phase2.runs.page.settings import SettingsTable

JsonObject = dict[str, object]


def data_script(store: str, runs: Sequence[tuple[PageRun, str | None]], unreadable: Sequence[str]) -> bytes:
    """Return the script that hands all runs to the page.

    Args:
        store: Address of the store.
        runs: The runs and the names of their files of learning curves, in the order of the page.
        unreadable: Prefixes of runs whose records cannot be read.
    """
    table = SettingsTable.encode([run.settings for run, _ in runs])
    rows = [_row(run, curves) | {"settings": own} for (run, curves), own in zip(runs, table.differing, strict=True)]
    content = {
        "store": _text(store),
        "properties": _properties(runs),
        "settings": {"paths": table.paths, "values": table.values, "common": table.common},
        # Names once and values by row: a browser reads thousands of them in half the time.
        "fields": list(rows[0]) if rows else [],
        "runs": [list(row.values()) for row in rows],
        "unreadable": [_text(prefix) for prefix in unreadable],
    }
    return script("runsPage.runs", content)


def _properties(runs: Sequence[tuple[PageRun, str | None]]) -> list[JsonObject]:
    """Return the properties that any of the runs has, with the error that is shown of each."""
    used = {key for run, _ in runs for key in (*run.summary.properties, *run.errors)}
    nine: list[JsonObject] = [
        {"key": one.key, "title": one.title, "unit": one.unit, "error": "MAE"} for one in PROPERTIES if one.key in used
    ]
    return nine + [_own_property(key, [run for run, _ in runs]) for key in sorted(used - set(KEYS))]


def _own_property(key: str, runs: Sequence[PageRun]) -> JsonObject:
    """Return a property that runs define: its title, and the unit that they recorded, as far as they agree."""
    units = {run.errors[key].unit for run in runs if key in run.errors}
    titles = dict.fromkeys(title for run in runs if (title := _own_title(key, run)))
    title = _text(next(iter(titles), "")) or key.replace("_", " ").capitalize()
    if units == {LOG_LOSS}:
        return {"key": key, "title": title, "unit": "", "error": LOG_LOSS}
    unit = _text(next(iter(units), "")) if len(units) < 2 else "in the units of its runs"
    return {"key": key, "title": title, "unit": unit, "error": "error" if LOG_LOSS in units else "MAE"}


def _own_title(key: str, run: PageRun) -> str:
    definitions = run.settings.get("data.own_properties")
    for row in definitions if isinstance(definitions, list) else ():
        if isinstance(row, dict) and row.get("key") == key:
            return str(row.get("title", ""))
    return ""


def _row(run: PageRun, curves: str | None) -> JsonObject:
    summary = run.summary
    return {
        "id": _text(summary.run_id),
        "prefix": summary.prefix,
        "shown": _text(summary.prefix),
        "algorithm": summary.algorithm,
        "level": summary.mode,
        "state": summary.status,
        "handoff": run.handoff,
        "missing": run.missing,
        "score": _rounded(summary.score),
        "errors": {key: _errors(found) for key, found in run.errors.items()},
        "properties": summary.properties,
        "bestEpoch": summary.best_epoch,
        "epochs": summary.epochs,
        "planned": run.planned,
        "started": _time(summary.started),
        "ended": None if summary.ended is None else _time(summary.ended),
        "seconds": run.seconds,
        "epochSeconds": run.epoch_seconds,
        "source": _text(run.source),
        "data": summary.data and summary.data[:12],
        "split": _text(run.split),
        "crystals": run.crystals,
        "seed": run.seed,
        "attempts": run.attempts,
        "resumed": run.resumed,
        "reason": _text(run.reason),
        "hardware": _text(run.hardware),
        "host": _text(run.host),
        "code": _text(run.code),
        "from": run.started_from and _text(run.started_from),
        "command": line(without_secrets(run.command)),
        "size": summary.size or None,  # of a run without a manifest nobody knows
        "report": run.has_report,
        "curves": curves,
    }


def _errors(found: PropertyErrors) -> list[float | None]:
    """Return validation and test error, and the validation error of the median and of gradient boosting."""
    return [_rounded(error) for error in (found.val, found.test, found.median, found.boosting)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _text(text: str) -> str:
    return cell(without_secrets(text))
