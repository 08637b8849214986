"""What a training would do: the output of ``phase2 train --dry-run`` and of the first step of a workflow."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from phase2.cli.console import echo, print_table

if TYPE_CHECKING:
    from phase2.config.request.resume_request import ResumeRequest
    from phase2.config.resolve import ResolvedRun
    from phase2.runs.resume.find import ExistingRun
    from phase2.storage.base import Store


def find_and_reconcile(
    resolved: ResolvedRun, resumption: ResumeRequest, store: Store | None
) -> tuple[ResolvedRun, ExistingRun | None]:
    """Find the run that a request names for resuming, and what would then be trained.

    Returns:
        What would be trained, and the run; None where the request names no run.

    Raises:
        RequestError: There is no such run, or its settings differ.
        DataError: Its data are not where they were.
        ModelFileError: Its recorded configuration is damaged.
    """
    if resumption.run is None:
        return resolved, None
    from phase2.runs.resume.find import find_run_to_resume
    from phase2.runs.resume.moved_data import refuse_missing_data
    from phase2.runs.resume.reconcile import reconcile_settings

    existing = find_run_to_resume(resolved, resumption, store)
    recorded = existing.recorded if existing else None
    resolved, _ = reconcile_settings(resolved, recorded, resumption)
    refuse_missing_data(resolved.config.data.source, recorded)
    return resolved, existing


def print_run(resolved: ResolvedRun, resumption: ResumeRequest, existing: ExistingRun | None) -> None:
    """Print the command, the run folder and every setting."""
    words = ["--resume"] if resumption.wanted else []
    if resumption.run is not None:
        words = ["--resume", existing.prefix if existing else resumption.run]
    config, output = resolved.config, resolved.request.output
    asked = [word for word in resolved.request.command()[2:] if word not in ("--algorithm", resolved.request.algorithm)]
    echo(f"would run: {shlex.join(['python', f'scripts/phase2_multitask/{config.backend}.py', *asked, *words])}")
    echo(f"run folder: {output / config.family}/run_*")
    print_table("", ("setting", "value", "origin"), resolved.rows())
