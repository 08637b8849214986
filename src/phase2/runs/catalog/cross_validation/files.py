"""The files of a cross-validation: its table, as text and for programs, and matbench's records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from phase2.runs.catalog.cross_validation.folds import CrossValidation
from phase2.runs.catalog.cross_validation.matbench import matbench_task
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.predictions import PartPredictions, parse_predictions
from phase2.storage.disk.atomic import write_text
from phase2.storage.disk.errors import disk_errors


def write_fold_files(
    folder: Path, made: CrossValidation, runs: Mapping[str, tuple[RunManifest, PartPredictions]]
) -> list[Path]:
    """Write NAME.md, NAME.json and, for each property, NAME-PROPERTY.matbench.json; return their paths.

    Args:
        folder: Their folder, made if there is none.
        made: The cross-validation.
        runs: Manifest and test predictions of its runs, by id.

    Raises:
        RequestError: The folder cannot be written.
        TransientError: The disk is full.
    """
    files = {f"{made.name}.md": made.markdown(), f"{made.name}.json": _json(made.model_dump(mode="json"))}
    parts = [runs[run.run_id] for run in made.runs]
    for key in dict.fromkeys(row.key for row in made.properties):
        task = f"{made.name}-{key}"
        files[f"{task}.matbench.json"] = _json(matbench_task(task, key, parts))
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            write_text(folder / file, text)
    return [folder / file for file in files]


def parse_test_part(manifest: RunManifest, text: str, *, where: str) -> PartPredictions:
    """Parse the test predictions of a run.

    Args:
        manifest: Manifest of the run.
        text: Content of its CSV of test predictions.
        where: Name of the file in error messages.

    Raises:
        ModelFileError: It is damaged.
    """
    known = {prop.key: prop for prop in manifest.config.data.properties}
    return parse_predictions(text, [known[key] for key in manifest.properties], where=where)


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
