"""Job manifest of a packed sweep: one pod trains all of its runs, several at once. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from phase2.cluster.labels import COMMAND_ANNOTATION, LEVEL_LABEL, MODE_LABEL, REQUEST_ANNOTATION, RUN_LABEL
from phase2.cluster.manifests.job import build_job
from phase2.cluster.manifests.sweep import members_digest
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import SWEEP
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.settings import CHECKPOINT_MINUTES, RUN_ID_VARIABLE
from phase2.errors import RequestError


def build_packed_sweep(name: str, request: SweepRequest, plans: Sequence[Plan], pack: int) -> dict[str, Any]:
    """Build the Job of a sweep; its runs have the ids that :meth:`SweepRequest.runs` gives them.

    Args:
        name: Name of the sweep, which stands where a Job of one run has the run id.
        request: The sweep.
        plans: Plan of each run; their resources are those of the pod.
        pack: Runs that train at once.

    Raises:
        RequestError: The runs have different resources, or more than one GPU or node.
    """
    first = plans[0]
    _refuse_other_resources(plans, pack)
    minutes = first.cluster.checkpoint_minutes
    often = [] if minutes == CHECKPOINT_MINUTES else ["--checkpoint-minutes", f"{minutes:g}"]
    words = [*request.command(name), "--pack", str(pack)]
    labels = {key: value for key, value in first.labels.items() if key != LEVEL_LABEL}
    annotations = {COMMAND_ANNOTATION: shlex.join(words), REQUEST_ANNOTATION: members_digest(request.runs(name))}
    # Each run has an id of its own.
    environment = {key: value for key, value in first.environment.items() if key != RUN_ID_VARIABLE}
    return build_job(
        replace(
            first,
            run_id=name,
            command=(*words, "--backend", "local", *often),
            environment=MappingProxyType(environment),
            labels=MappingProxyType({**labels, RUN_LABEL: name, MODE_LABEL: SWEEP}),
            annotations=MappingProxyType({**first.annotations, **annotations}),
        )
    )


def _refuse_other_resources(plans: Sequence[Plan], pack: int) -> None:
    cluster = plans[0].cluster
    other = next((plan.run_id for plan in plans if plan.cluster != cluster), None)
    if other is not None:
        raise RequestError(
            f"--pack {pack} is of runs with the same resources, and {plans[0].run_id} and {other} have different ones.",
            why="They train in one pod, and the installation gives runs of different levels different resources.",
            fix="Make a sweep for each level, or give the resources (--gpus, --cpu, --memory, ...).",
        )
    for option, number in (("--nodes", cluster.nodes), ("--gpus", cluster.gpus)):
        if number > 1:
            raise RequestError(
                f"{option} {number} cannot be combined with --pack {pack}.",
                why="Packed runs share one GPU of one pod.",
                fix=f"Give {option} 1, or drop --pack.",
            )
