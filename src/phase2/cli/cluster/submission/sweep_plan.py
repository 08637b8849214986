"""What a sweep would submit, printed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from phase2.cli.cluster.submission.steps import Manifests, print_manifests
from phase2.cli.console import echo
from phase2.cli.store import print_json
from phase2.output.wording import counted

if TYPE_CHECKING:
    from phase2.cluster.estimate.cost import Cost
    from phase2.cluster.estimate.work import Estimate
    from phase2.config.multirun.sweep import SweepRun


def print_sweep_plan(
    name: str, runs: Sequence[tuple[SweepRun, Estimate]], cost: Cost, manifests: Manifests, *, as_json: bool
) -> None:
    """Print the runs of a sweep with their times, what they cost together, and what would be submitted."""
    from phase2.cluster.estimate.cost import describe_cost
    from phase2.cluster.estimate.limit import describe_time

    if as_json:
        members = [
            {"run": run.run_id, "command": run.request.command(), "estimated_seconds": work.seconds}
            for run, work in runs
        ]
        print_json({"sweep": name, "runs": members, "cost": cost.facts(), "manifests": list(manifests.values())})
        return
    echo(f"# sweep {name}: {counted(len(runs), 'run')}")
    for run, work in runs:
        echo(f"# {run.run_id}: {shlex.join(run.request.command())}")
        echo(f"#   time {describe_time(work)}")
    echo(f"# cost: {describe_cost(cost)}")
    print_manifests(manifests)
