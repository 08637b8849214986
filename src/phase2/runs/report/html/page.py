"""The report of one or several runs as a page of HTML (``report.html``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, TypeVar

from phase2.errors import RequestError
from phase2.properties import Property
from phase2.runs.artifacts import Artifact, describe_files
from phase2.runs.layout import REPORT, RunDirectory
from phase2.runs.records.manifest import RunManifest
from phase2.runs.report.html.drawing import EPOCHS, PARTS, SYSTEMS, run_data
from phase2.runs.report.html.errors import property_errors
from phase2.runs.report.html.facts import data_facts, environment_facts, handoff_facts, summary_facts, time_facts
from phase2.runs.report.html.files import files_of_folder
from phase2.runs.report.html.inputs import RunInput, read_run
from phase2.runs.report.html.periodic_table import ROWS
from phase2.runs.report.html.points import LONGEST_ID, SHORT_ID, points_per_plot, sampled
from phase2.runs.report.html.settings import setting_rows
from phase2.runs.report.html.timeline import attempt_rows
from phase2.runs.report.html.verdict import cautions, judge
from phase2.runs.report.html.worst import MOST_ATOMS
from phase2.runs.report.tables.binary import COLUMNS, binary_rows
from phase2.storage.disk.atomic import write_text
from phase2.web.page import Page

MOST_RUNS = 8
"""Runs that one report compares: as many as there are colours that can be told apart."""

MOST_BYTES = 2_900_000
"""Size of a page, of which the libraries take 1.7 MB."""

SHARES = (1.0, 0.5, 0.25, 0.1, 0.05)
"""Shares of the points, structures and epochs that are tried until the page is small enough; the last cuts ids, too."""

Shared = TypeVar("Shared")

_PAGE = Page(
    "phase2.runs.report.html",
    "report.html",
    styles=("report.css",),
    scripts=("report.js", "plots.js", "errors.js", "structures.js"),
    libraries=("plotly", "3dmol"),
)


def report(runs: Sequence[RunInput], *, same_data: bool = True) -> str:
    """Return the page of one run, or of several side by side.

    Args:
        runs: The runs.
        same_data: Whether they were trained and measured on the same crystals; if not, the page says so.

    Raises:
        RequestError: There are more than eight runs.
        MissingExtraError: Jinja2 is not installed.
    """
    if len(runs) > MOST_RUNS:
        raise RequestError(
            f"{len(runs)} runs are too many for one report.",
            why=f"It shows up to {MOST_RUNS} side by side.",
            fix="Name fewer; 'phase2 runs compare' has a table of any number.",
        )
    for share in SHARES:
        text = _page(runs, share, same_data=same_data)
        if len(text.encode()) <= MOST_BYTES:
            break
    return text


def _page(runs: Sequence[RunInput], share: float, *, same_data: bool) -> str:
    """Return the page with a share of the points and structures that fit in most."""
    found = _properties(runs)
    properties = [prop for prop in found if prop.task != "binary"]
    most = points_per_plot(len(runs) * len(PARTS) * len(properties), share)
    atoms, epochs = int(share * MOST_ATOMS) // len(runs), int(share * EPOCHS)
    longest = SHORT_ID if share == SHARES[-1] else LONGEST_ID
    drawn = [run_data(run, most, atoms, epochs, longest=longest) for run in runs]
    settings = setting_rows(runs)
    context = {
        "runs": [_view(run, data) for run, data in zip(runs, drawn, strict=True)],
        "properties": properties,
        "binary_properties": [prop for prop in found if prop.task == "binary"],
        "settings": settings,
        "differences": [row for row in settings if row.differs],
        "same_data": same_data,
        "periodic_table": ROWS,
        "binary_columns": COLUMNS,
    }
    keys = ("key", "title", "unit", "transform", "task")
    named = [{name: getattr(prop, name) for name in keys} for prop in found]
    return _PAGE.render(context, data={"report": {"properties": named, "systems": SYSTEMS, "runs": drawn}})


def _properties(runs: Sequence[RunInput]) -> list[Property]:
    """Properties of runs, one of a key and task; what runs define differently has no unit and scale in common."""
    by_key: dict[tuple[str, str], list[Property]] = {}
    for run in runs:
        for prop in run.properties:
            by_key.setdefault((prop.key, prop.task), []).append(prop)
    return [replace(one[0], unit=_common([p.unit for p in one], "in the units of its runs"),
                    transform=_common([p.transform for p in one], "none")) for one in by_key.values()]  # fmt: skip


def _common(values: Sequence[Shared], otherwise: Shared) -> Shared:
    return values[0] if len(set(values)) == 1 else otherwise


def write_report(run: RunDirectory, draft: RunManifest, notify: Callable[[str], None]) -> None:
    """Write ``report.html`` into the directory of a run that is about to be sealed; say why where that fails.

    Args:
        run: The run directory.
        draft: Its manifest, which is written after this.
        notify: Callback receiving one line for the user.
    """
    if find_spec("jinja2") is None:
        notify("No report: Jinja2 is not installed. Install it with 'pip install phase2[report]'.")
        return
    try:
        there = tuple(one for one in describe_files(run.path) if one.path != REPORT)
        listed = draft.model_copy(update={"artifacts": there})
        write_text(run.report, report([read_run(files_of_folder(run.path), draft=listed)]))
    except Exception as error:  # noqa: BLE001 - a report that cannot be drawn must not cost a trained run
        notify(f"No report: {type(error).__name__}: {error}. 'phase2 report' makes it from the files of the run.")


def _view(run: RunInput, drawn: dict[str, Any]) -> dict[str, Any]:
    """Values of one run for the template."""
    errors = property_errors(run)
    artifacts: tuple[Artifact, ...] = run.manifest.artifacts if run.manifest else ()
    return {
        "id": run.run_id,
        "status": run.status,
        "verdict": judge(run, errors),
        "notes": [*cautions(run, errors), *run.notes],
        "errors": errors,
        "binary": binary_rows(run.manifest.val, run.manifest.test) if run.manifest else [],
        "with_boosting": any(one.row.boosting_test_mae is not None for one in errors),
        "summary": summary_facts(run),
        "handoff": handoff_facts(run),
        "environment": environment_facts(run),
        "time": time_facts(run),
        "data": data_facts(run),
        "labels": run.manifest.data.labels if run.manifest and run.manifest.data else {},
        "attempts": attempt_rows(run.attempts),
        "artifacts": artifacts,
        "size": sum(one.bytes for one in artifacts),
        "manifest": run.manifest_text,
        "has_points": bool(drawn["points"]),
        "has_curves": bool(drawn["curves"]["epoch"]),
        "has_worst": bool(drawn["worst"]),
        "sampled": any(sampled(one) for one in drawn["points"].values()),
        "groups": sorted({name for one in drawn["errors"].values() for name in one}),
    }
