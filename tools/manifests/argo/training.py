"""The templates that become pods that train: one pod, several of one run, one of many runs, a worker of a study."""

from hera.workflows import models

from phase2.cluster.labels import ALGORITHM_LABEL, GROUP, GROUP_LABEL, RANK_LABEL
from phase2.cluster.manifests.installed import (
    communication_variables,
    installed_variables,
    metrics_port,
    tracking_variables,
)
from phase2.cluster.manifests.run_object import QUEUE_LABEL
from phase2.cluster.manifests.workflow import FIRST_STEP, OTHERS_STEP
from phase2.cluster.plan import WORK
from phase2.config.settings import JOIN_VARIABLE, STAY_VARIABLE
from phase2.machine.rank import NODE_VARIABLE

from . import parameters as p
from .calls import call, call_times
from .parameters import tag
from .pods import options, variable
from .resources import ATTEMPT_POD, GROUP_POD, JOIN_MINUTES, POD
from .steps import STUDY, file_output, named_inputs, step

ITEM = ("run-id", *(one.name for one in p.VARIED), *POD)
"""Fields of a run that the step ``expand`` lists."""

_LABELS = {ALGORITHM_LABEL: tag("algorithm"), "phase2.dev/step": "train"}
_QUEUED = {QUEUE_LABEL: tag("queue", "inputs"), **_LABELS}


def train(env: list[models.EnvVar] | None = None, *inputs: str) -> models.Template:
    """Return the training, with the resources and the placement that the first step found."""
    names = tuple(dict.fromkeys((*inputs, *POD)))
    return _training(
        "train", "train", "--store", tag("store"), "--report-to", WORK,
        env=env,
        inputs=named_inputs(*names),
        labels=_QUEUED,
        outputs=models.Outputs(parameters=[file_output("row", "row.json")]),
    )  # fmt: skip


def train_item() -> models.Template:
    """Return the training of one of the runs that the step ``expand`` lists."""
    env = [*options(p.VARIED, "inputs"), variable("PHASE2_RUN_ID", tag("run-id", "inputs"))]
    return train(env, *ITEM)


def train_together() -> models.Template:
    """Return the training on several nodes: the first pod and the others, at the same time."""
    first = call(FIRST_STEP, {name: tag(name, "inputs") for name in ("pod", "retry-pod")})
    patches = {name: tag(f"other-{name}", "inputs") for name in ("pod", "retry-pod")}
    others = call_times(OTHERS_STEP, tag("other-nodes", "inputs"), {"rank": "{{item}}", **patches}, start=1)
    return models.Template(
        name="train-together",
        inputs=named_inputs(*GROUP_POD),
        steps=[models.ParallelSteps(root=[first, others])],
    )


def train_first() -> models.Template:
    """Return the first pod of several, which alone writes and publishes the run."""
    return _of_group(FIRST_STEP, "0")


def train_others() -> models.Template:
    """Return another pod, which trains its share, and ends once the run is in the store."""
    return _of_group(OTHERS_STEP, tag("rank", "inputs"), "rank")


def _of_group(name: str, rank: str, *inputs: str) -> models.Template:
    own = {NODE_VARIABLE: rank, STAY_VARIABLE: "1", JOIN_VARIABLE: JOIN_MINUTES}
    meeting = [models.EnvVar.model_validate(one) for one in communication_variables()]
    return _training(
        name, "train", "--store", tag("store"),
        env=[*(variable(*one) for one in own.items()), *meeting],
        inputs=named_inputs(*inputs, "pod", "retry-pod"),
        labels={**_LABELS, GROUP_LABEL: GROUP, RANK_LABEL: rank},
    )  # fmt: skip


def work() -> models.Template:
    """Return one worker of a study, which trains one trial after the other."""
    return _training(
        "work", "tune", *STUDY, "--worker", "--best", f"{WORK}/best.yaml",
        env=options((p.TIMEOUT_HOURS,)),
        inputs=named_inputs(*POD),
        labels=_QUEUED,
    )  # fmt: skip


def _training(
    name: str,
    *args: str,
    env: list[models.EnvVar] | None,
    inputs: models.Inputs,
    labels: dict[str, str],
    outputs: models.Outputs | None = None,
) -> models.Template:
    """Return a step that trains, with what the installation says of metrics, stalls and trackers."""
    template = step(
        name,
        *args,
        env=env,
        inputs=inputs,
        outputs=outputs,
        metadata=models.Metadata(labels=labels),
        retries=6,
        pod_spec_patch=ATTEMPT_POD,
        has_cache=True,
    )
    container = template.container
    assert container is not None
    installed = [models.EnvVar.model_validate(one) for one in (*installed_variables(), *tracking_variables())]
    container.env = [*(container.env or []), *installed]
    container.ports = [models.ContainerPort.model_validate(metrics_port())]
    return template
