"""Objects that execute a study: a Job for each worker, or a Workflow of the template ``phase2-tune``. Pure."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from phase2.cluster.labels import COMMAND_ANNOTATION, REQUEST_ANNOTATION, RUN_LABEL, labels_of
from phase2.cluster.manifests.job import build_job
from phase2.cluster.manifests.workflow import refuse_for_argo, thin_workflow, workflow_parameters
from phase2.cluster.plan import Plan
from phase2.cluster.request.names import check_label_name
from phase2.config.assignments import join_texts
from phase2.config.settings import CHECKPOINT_MINUTES
from phase2.errors import RequestError
from phase2.runs.layout import check_run_id

TEMPLATE = "phase2-tune"
MODE = "tune"
MAX_WORKERS = 32
_RUN_ID = "PHASE2_RUN_ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """Plan of the workers of a study.

    Attributes:
        study: Name of the study.
        run: Plan of a run with the request that all trials share; its resources and volumes are the workers'.
        space: Searched settings, as ``--over`` takes them.
        options: Values of further options of ``phase2 tune``, by name without hyphens in front.
        trials: Number of trials. It is part of the ids of the workers, so that more can be asked for when these ended.
        workers: Number of workers.

    Raises:
        RequestError: There are more workers than trials, or too many, or checkpoints are saved at another rate.
    """

    study: str
    run: Plan
    space: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    trials: int
    workers: int

    def __post_init__(self) -> None:
        if self.workers > self.trials:
            raise RequestError(
                f"--workers {self.workers} are more than the {self.trials} trials.",
                why="A worker trains one trial at a time.",
                fix="Ask for more --trials, or fewer --workers.",
            )
        if self.workers > MAX_WORKERS:
            raise RequestError(f"--workers {self.workers} are too many.", fix=f"Ask for {MAX_WORKERS} or fewer.")
        if self.run.cluster.is_group:
            raise RequestError(
                f"--nodes {self.run.cluster.nodes} cannot be combined with a study.",
                why="Each of its workers trains trials by itself, on one node.",
                fix="Drop it, and give --workers.",
            )
        if self.run.cluster.gpus > 1:
            raise RequestError(
                f"--gpus {self.run.cluster.gpus} cannot be combined with a study.",
                why="Each of its workers trains one trial at a time, on one GPU.",
                fix="Give --gpus 1, and more --workers.",
            )
        if self.run.cluster.checkpoint_minutes != CHECKPOINT_MINUTES:
            raise RequestError(
                "--checkpoint-minutes cannot be combined with a study.",
                why="Its trials are saved as often as any run by default.",
                fix="Drop it.",
            )

    @property
    def name(self) -> str:
        """Name that stands for the study and its number of trials where a run has its run id."""
        return f"{self.study}-{self.trials}"

    @property
    def words(self) -> list[str]:
        """Options of ``phase2 tune`` that define the study."""
        over = [word for text in self.space for word in ("--over", text)]
        options = [word for name, value in self.options for word in (f"--{name}", value)]
        request = self.run.resolved.request.command()[2:]
        return [*request, *over, *options, "--trials", str(self.trials), "--name", self.study]

    @property
    def annotations(self) -> dict[str, str]:
        """Annotations that later commands read: the command that submits it again, and the digest of the study."""
        command = ["phase2", "tune", "submit", *self.words, "--workers", str(self.workers)]
        digest = hashlib.sha256(shlex.join(self.words).encode()).hexdigest()
        return {COMMAND_ANNOTATION: shlex.join(command), REQUEST_ANNOTATION: digest}


def build_worker_jobs(plan: StudyPlan) -> dict[str, dict[str, Any]]:
    """Build the Jobs of the workers of a study, by the id of each.

    Raises:
        RequestError: The name of the study is too long for an id.
    """
    run = plan.run
    # Each trial has a run id of its own.
    environment = {key: value for key, value in run.environment.items() if key != _RUN_ID}
    ids = [check_run_id(f"{plan.name}-worker-{number}") for number in range(plan.workers)]
    return {
        worker: build_job(
            replace(
                run,
                run_id=worker,
                command=("phase2", "tune", *plan.words, "--worker", "--best", "/tmp/best.yaml"),  # noqa: S108 - a volume
                environment=MappingProxyType(environment),
                labels=MappingProxyType({**run.labels, RUN_LABEL: worker}),
                annotations=MappingProxyType({**run.annotations, **plan.annotations}),
            )
        )
        for worker in ids
    }


def build_study_workflow(plan: StudyPlan) -> dict[str, Any]:
    """Build the Workflow of a study.

    Raises:
        RequestError: The name is not one of a Workflow, or an option is set that the template fixes.
    """
    refuse_for_argo(plan.run.cluster, template=TEMPLATE)
    check_label_name(plan.name, "--name")
    request = {name: value for name, value in workflow_parameters(plan.run).items() if name != "run-name"}
    own = {"over": join_texts(plan.space), "trials": str(plan.trials), "workers": str(plan.workers)}
    labels = labels_of(plan.name, plan.run.resolved.config.algorithm, MODE)
    metadata = {"name": plan.name, "labels": labels, "annotations": plan.annotations}
    parameters = request | own | dict(plan.options) | {"study": plan.study}
    return thin_workflow(plan.run.cluster, metadata, TEMPLATE, parameters)
