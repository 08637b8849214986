"""Plans of the workers of a study: pods that run ``phase2 tune`` for one study and share it through the store. Pure."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from phase2.cluster.labels import COMMAND_ANNOTATION, REQUEST_ANNOTATION, RUN_LABEL
from phase2.cluster.plan import Plan
from phase2.runs.layout import check_run_id

MAX_WORKERS = 32
_RUN_ID = "PHASE2_RUN_ID"


def worker_plans(
    study: str, plan: Plan, command: Sequence[str], *, trials: int, workers: int, submit: Sequence[str]
) -> list[Plan]:
    """Make the plans of the workers of a study from that of one of its runs.

    Args:
        study: Name of the study.
        plan: Plan of a run with the request that all trials share: its resources, volumes and labels are the workers'.
        command: Command line of a worker.
        trials: Number of trials. It is part of the workers' ids, so that more can be asked for when these have ended.
        workers: Number of workers.
        submit: Command line that submits them again.

    Raises:
        RequestError: The name is too long for an id.
    """
    digest = hashlib.sha256(shlex.join(command).encode()).hexdigest()
    # Each trial has a run id of its own.
    environment = {key: value for key, value in plan.environment.items() if key != _RUN_ID}
    recorded = {COMMAND_ANNOTATION: shlex.join(submit), REQUEST_ANNOTATION: digest}
    ids = [check_run_id(f"{study}-{trials}-worker-{number}") for number in range(workers)]
    return [
        replace(
            plan,
            run_id=worker,
            command=tuple(command),
            environment=MappingProxyType(environment),
            labels=MappingProxyType({**plan.labels, RUN_LABEL: worker}),
            annotations=MappingProxyType({**plan.annotations, **recorded}),
        )
        for worker in ids
    ]
