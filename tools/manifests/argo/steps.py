"""The templates that become pods: each runs one command of ``phase2``."""

from hera.workflows import models

from phase2.cluster.plan import WORK

from . import parameters as p
from .parameters import tag
from .pods import options, variable
from .resources import LIMITS, SMALL_POD, TRAINING_POD
from .retries import retry

ITEM = ("run-id", *(one.name for one in p.VARIED))
"""Fields of a run that :func:`expand` lists."""


def step(
    name: str,
    *args: str,
    env: list[models.EnvVar] | None = None,
    inputs: models.Inputs | None = None,
    outputs: models.Outputs | None = None,
    metadata: models.Metadata | None = None,
    synchronization: models.Synchronization | None = None,
    pod_spec_patch: str | None = None,
    retries: int = 3,
) -> models.Template:
    """Return a template that runs ``phase2`` with these arguments.

    Args:
        name: Name of the template.
        args: Arguments of ``phase2``.
        env: Variables of this step besides those of every container.
        inputs: Parameters that the calling step gives.
        outputs: Files that become parameters or artifacts.
        metadata: Labels of the pod besides those of every pod.
        synchronization: What the step waits for before it starts.
        pod_spec_patch: Resources and placement of the pod, where they differ from those of every container.
        retries: Attempts after the first, where a failure is transient.
    """
    return models.Template(
        name=name,
        inputs=inputs,
        outputs=outputs,
        metadata=metadata,
        synchronization=synchronization,
        pod_spec_patch=pod_spec_patch,
        retry_strategy=retry(retries),
        container=models.Container(args=list(args), env=env),
    )


def validate() -> models.Template:
    """Return the check of the request, which needs no data."""
    return step("validate", "train", "--dry-run", "--store", tag("store"))


def prepare() -> models.Template:
    """Return the preparation of the graph store, in the cache that all runs share."""
    return step("prepare", "data", "prepare", pod_spec_patch=SMALL_POD)


def train(env: list[models.EnvVar] | None = None, *inputs: str) -> models.Template:
    """Return the training: it waits for a free place, and gets the resources that were asked for."""
    metadata = {"kueue.x-k8s.io/queue-name": tag("queue"), "phase2.dev/algorithm": tag("algorithm")}
    places = models.SemaphoreRef(config_map_key_ref=models.ConfigMapKeySelector(name=LIMITS, key="gpu"))
    return step(
        "train", "train", "--store", tag("store"), "--report-to", WORK,
        env=env,
        inputs=_inputs(*inputs) if inputs else None,
        metadata=models.Metadata(labels=metadata),
        synchronization=models.Synchronization(semaphores=[places]),
        retries=6,
        pod_spec_patch=TRAINING_POD,
        outputs=models.Outputs(parameters=[_output("row", "row.json")]),
    )  # fmt: skip


def train_item() -> models.Template:
    """Return the training of one of the runs that :func:`expand` lists."""
    env = [*options(p.VARIED, "inputs"), variable("PHASE2_RUN_ID", tag("run-id", "inputs"))]
    return train(env, *ITEM)


def report() -> models.Template:
    """Return the report of a run: its id, its scores and a page that is kept in the bucket."""
    page = _artifact("report", "report.md", "workflows/{{workflow.name}}/report.md")
    parameters = [_output("run-id", "run-id"), _output("mae", "mae.md")]
    outputs = models.Outputs(parameters=parameters, artifacts=[page])
    return step("report", "workflow", "report", "--store", tag("store"), "--to", WORK, outputs=outputs)


def register() -> models.Template:
    """Return the verification of what the store holds of a run."""
    words = ("runs", "verify", tag("run-id", "inputs"), "--store", tag("store"))
    return step("register", *words, inputs=_inputs("run-id"))


def expand(varied: tuple[p.Parameter, ...]) -> models.Template:
    """Return the expansion of listed values into runs, each a valid request."""
    outputs = models.Outputs(parameters=[_output("runs", "runs.json")])
    return step("expand", "workflow", "expand", "--to", WORK, env=options(varied), outputs=outputs)


def compare() -> models.Template:
    """Return the ranking of the runs that finished."""
    table = "comparison.md"
    page = _artifact("comparison", table, f"workflows/{{{{workflow.name}}}}/{table}")
    parameters = [_output("best-run", "best-run"), _output("runs", "runs"), _output("comparison", table)]
    return step(
        "compare", "workflow", "compare", "--to", WORK,
        inputs=_inputs("rows"),
        env=[variable("PHASE2_ROWS", tag("rows", "inputs"))],
        outputs=models.Outputs(parameters=parameters, artifacts=[page]),
    )  # fmt: skip


def split() -> models.Template:
    """Return the division of the structures into parts."""
    words = ("workflow", "split", "--dir", tag("structures"), "--parts", tag("parts"), "--to", WORK)
    return step("split", *words, outputs=models.Outputs(parameters=[_output("parts", "parts.json")]))


def predict(runs: str, *inputs: str) -> models.Template:
    """Return the prediction of one part.

    Args:
        runs: Tag of the runs that predict.
        inputs: Inputs of the template besides those that name the part.
    """
    part, parts = tag("part", "inputs"), tag("parts", "inputs")
    table = _artifact("predictions", "predictions.csv", f"predictions/{{{{workflow.name}}}}/part-{part}-of-{parts}.csv")
    return step(
        "predict", "predict", "--dir", tag("structures"), "--part", f"{part}/{parts}", "--store", tag("store"),
        "--output", f"{WORK}/predictions.csv",
        inputs=_inputs("part", "parts", *inputs),
        env=[variable("PHASE2_RUNS", runs)],
        pod_spec_patch=SMALL_POD,
        outputs=models.Outputs(artifacts=[table]),
    )  # fmt: skip


def prune() -> models.Template:
    """Return the removal of old runs."""
    limits = ("--keep-best", tag("keep-best"), "--older-than", tag("older-than"))
    return step("main", "runs", "prune", *limits, "--yes", "--store", tag("store"))


def finish() -> models.Template:
    """Return the exit handler, which records in the store how the workflow ended, also where no run does."""
    env = [
        variable("PHASE2_WORKFLOW_STATUS", "{{workflow.status}}"),
        variable("PHASE2_WORKFLOW_FAILURES", "{{workflow.failures}}"),
    ]
    return step("finish", "workflow", "finish", "--store", tag("store"), env=env)


def _inputs(*names: str) -> models.Inputs:
    return models.Inputs(parameters=[models.Parameter(name=name) for name in names])


def _output(name: str, file: str) -> models.Parameter:
    """Return the output parameter that has the content of a file."""
    return models.Parameter(name=name, value_from=models.ValueFrom(path=f"{WORK}/{file}"))


def _artifact(name: str, file: str, key: str) -> models.Artifact:
    """Return a file that is kept in the bucket as it is; the repository gives the bucket."""
    archive = models.ArchiveStrategy(none=models.NoneStrategy())
    return models.Artifact(name=name, path=f"{WORK}/{file}", archive=archive, s3=models.S3Artifact(key=key))
