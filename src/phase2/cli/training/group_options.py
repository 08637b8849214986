"""The runs of ``--ensemble``, ``--also-alone`` and ``--also-fine-tuned``, and what these options do not go with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from phase2.config.multirun.ways import Ways
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cli.training.group import RunGroup


def run_group(
    request: RunRequest, ensemble: int | None, ways: Ways, name: str | None, resumption: ResumeRequest
) -> RunGroup:
    """Return the runs of an ensemble, or else one of several properties and those of each of them."""
    if ensemble is not None:
        from phase2.cli.training.ensemble import Ensemble

        return Ensemble.named(request, ensemble, name, resumption)
    from phase2.cli.training.each_property import EachProperty

    return EachProperty.named(request, ways, name, resumption)


def refuse_for_groups(ensemble: int | None, ways: Ways, *, report_to: Path | None, processes: int | None) -> None:
    """Refuse options that go with one run alone."""
    if ensemble is not None and ways.names:
        raise RequestError(
            f"--ensemble and {ways.options} exclude each other.",
            why="The best of several runs is not known before they are trained.",
            fix=f"Train with {ways.options} first, and then an ensemble of what was best.",
        )
    option = ways.options or "--ensemble"
    if report_to is not None:
        raise RequestError(
            f"--report-to and {option} exclude each other.", why="The report is that of one run.", fix="Drop one."
        )
    if (processes or 1) > 1:
        raise RequestError(
            f"{option} and several processes exclude each other.",
            why="The processes share the batches of one run.",
            fix="Leave out --gpus and --processes, or train the runs one by one.",
        )
