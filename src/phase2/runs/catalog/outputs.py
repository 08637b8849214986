"""Files that a workflow step takes up from a finished run: its id, its row, its table of errors, its page."""

from __future__ import annotations

from pathlib import Path

from phase2.runs.catalog.ranking import RunRow
from phase2.runs.records.manifest import RunManifest
from phase2.runs.report.tables.metrics import metrics_table
from phase2.storage.disk.atomic import write_text


def write_report(folder: Path, manifest: RunManifest, page: str) -> str:
    """Write the output files of a finished run: its id, its row, its table of errors and its hand-off page.

    Args:
        folder: Folder for ``run-id``, ``row.json``, ``mae.md`` and ``report.md``.
        manifest: Manifest of the run.
        page: Its hand-off page.

    Returns:
        The table of errors, in Markdown.

    Raises:
        DataError: The run is not finished.
    """
    row, errors = RunRow.from_manifest(manifest), metrics_table(manifest.val, manifest.test, manifest.baselines)
    for name, text in (
        ("run-id", row.run_id),
        ("row.json", row.model_dump_json()),
        ("mae.md", errors),
        ("report.md", page),
    ):
        write_text(folder / name, text)
    return errors
