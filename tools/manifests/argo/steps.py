"""The templates that become pods that do not train: each runs one command of ``phase2``."""

from hera.workflows import models

from phase2.cluster.manifests.installed import notification_variables
from phase2.cluster.plan import WORK

from . import parameters as p
from .parameters import tag
from .pods import CACHE_MOUNT, options, variable
from .resources import FINISH_SECONDS, GROUP_POD, POD, STEP_POD
from .retries import retry


def step(
    name: str,
    *args: str,
    env: list[models.EnvVar] | None = None,
    inputs: models.Inputs | None = None,
    outputs: models.Outputs | None = None,
    metadata: models.Metadata | None = None,
    pod_spec_patch: str | None = None,
    has_cache: bool = False,
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
        pod_spec_patch: Resources and placement of the pod, where they differ from those of every container.
        has_cache: Whether the pod mounts the cache: a volume that one node at a time mounts goes to the node of the
            first pod that has it.
        retries: Attempts after the first, where a failure is transient.
    """
    return models.Template(
        name=name,
        inputs=inputs,
        outputs=outputs,
        metadata=metadata,
        pod_spec_patch=pod_spec_patch,
        retry_strategy=retry(retries),
        container=models.Container(args=list(args), env=env, volume_mounts=[CACHE_MOUNT] if has_cache else None),
    )


def validate(*, is_run: bool = True) -> models.Template:
    """Return the check of the request, the store and the time, which finds what the pods of the run get.

    Args:
        is_run: Whether the workflow is one run, whose id, algorithm and mode it publishes then.
    """
    names = (*POD, "prepare-pod", *(("nodes", *GROUP_POD[2:]) if is_run else ()))
    found = [file_output(name, name) for name in names]
    published = [file_output(name, name, is_global=True) for name in ("run-id", "algorithm", "mode")]
    return step(
        "validate", "workflow", "validate", "--store", tag("store"), "--to", WORK,
        env=options((*p.RESOURCES, p.NODES) if is_run else p.RESOURCES),
        outputs=models.Outputs(parameters=[*found, *(published if is_run else [])]),
    )  # fmt: skip


def prepare() -> models.Template:
    """Return the preparation of the graph store, built or fetched into the cache that all runs share."""
    return step(
        "prepare", "data", "prepare", "--store", tag("store"),
        inputs=named_inputs("pod"),
        pod_spec_patch=STEP_POD,
        has_cache=True,
    )  # fmt: skip


def report() -> models.Template:
    """Return the report of a run: its id, its scores and a page that is kept in the bucket."""
    page = _artifact("report", "report.md", "workflows/{{workflow.name}}/report.md")
    parameters = [file_output("run-id", "run-id"), file_output("mae", "mae.md")]
    outputs = models.Outputs(parameters=parameters, artifacts=[page])
    return step("report", "workflow", "report", "--store", tag("store"), "--to", WORK, outputs=outputs)


def register() -> models.Template:
    """Return the verification of what the store holds of a run."""
    words = ("runs", "verify", tag("run-id", "inputs"), "--store", tag("store"))
    return step("register", *words, inputs=named_inputs("run-id"))


def expand(varied: tuple[p.Parameter, ...]) -> models.Template:
    """Return the expansion of listed values into runs, each a valid request."""
    outputs = models.Outputs(parameters=[file_output("runs", "runs.json"), file_output("prepare-pod", "prepare-pod")])
    words = ("workflow", "expand", "--store", tag("store"), "--to", WORK)
    return step("expand", *words, env=options((*varied, *p.RESOURCES)), outputs=outputs)


def compare() -> models.Template:
    """Return the ranking of the runs that finished."""
    table = "comparison.md"
    page = _artifact("comparison", table, f"workflows/{{{{workflow.name}}}}/{table}")
    parameters = [file_output("best-run", "best-run"), file_output("runs", "runs"), file_output("comparison", table)]
    return step(
        "compare", "workflow", "compare", "--to", WORK,
        inputs=named_inputs("rows"),
        env=[variable("PHASE2_ROWS", tag("rows", "inputs"))],
        outputs=models.Outputs(parameters=parameters, artifacts=[page]),
    )  # fmt: skip


STUDY = ("--store", tag("store"), "--name", tag("study"))


def define() -> models.Template:
    """Return the check of a study, before anything is reserved for it: its settings, its values and its store."""
    return step("define", "tune", *STUDY, "--worker", "--dry-run")


def show() -> models.Template:
    """Return the result of a study: a configuration file of its best trial, which is kept in the bucket."""
    file = "best.yaml"
    page = _artifact("best", file, f"workflows/{{{{workflow.name}}}}/{file}")
    outputs = models.Outputs(parameters=[file_output("best", file)], artifacts=[page])
    return step(
        "show", "tune", "show", tag("study"), "--store", tag("store"), "--best", f"{WORK}/{file}", outputs=outputs
    )


def split(given: tuple[p.Parameter, ...]) -> models.Template:
    """Return the division of the structures into parts, which finds what the pods that predict get.

    Args:
        given: Parameters of resources and placement.
    """
    words = ("workflow", "split", "--dir", tag("structures"), "--parts", tag("parts"), "--to", WORK)
    outputs = models.Outputs(parameters=[file_output("parts", "parts.json"), file_output("pod", "pod")])
    return step("split", *words, env=options(given), outputs=outputs)


def predict(runs: str, *inputs: str) -> models.Template:
    """Return the prediction of one part.

    Args:
        runs: Tag of the runs that predict.
        inputs: Inputs of the template besides those that name the part and what its pod gets.
    """
    part, parts = tag("part", "inputs"), tag("parts", "inputs")
    table = _artifact("predictions", "predictions.csv", f"predictions/{{{{workflow.name}}}}/part-{part}-of-{parts}.csv")
    return step(
        "predict", "predict", "--dir", tag("structures"), "--part", f"{part}/{parts}", "--store", tag("store"),
        "--output", f"{WORK}/predictions.csv",
        inputs=named_inputs("part", "parts", "pod", *inputs),
        env=[variable("PHASE2_RUNS", runs)],
        pod_spec_patch=STEP_POD,
        outputs=models.Outputs(artifacts=[table]),
    )  # fmt: skip


def prune() -> models.Template:
    """Return the removal of old runs."""
    limits = ("--keep-best", tag("keep-best"), "--older-than", tag("older-than"))
    return step("main", "runs", "prune", *limits, "--yes", "--store", tag("store"))


def page() -> models.Template:
    """Return the writing of the page of all runs, into its own prefix of the store."""
    return step("main", "runs", "page", "--publish", "--store", tag("store"))


def finish() -> models.Template:
    """Return the exit handler, which records in the store how the workflow ended, also where no run does.

    It is tried once and for a limited time. The kubelet ends a pod that is on a node and does not start; Argo ends one
    that waits for a node, when it next looks at the workflow, which it does at least every 20 minutes, and only where
    the template is not retried. What it records is a note; the run itself is in the store already.
    """
    env = [
        variable("PHASE2_WORKFLOW_STATUS", "{{workflow.status}}"),
        variable("PHASE2_WORKFLOW_FAILURES", "{{workflow.failures}}"),
        *(models.EnvVar.model_validate(one) for one in notification_variables()),
    ]
    return models.Template(
        name="finish",
        timeout=f"{FINISH_SECONDS}s",
        active_deadline_seconds=FINISH_SECONDS,
        container=models.Container(args=["workflow", "finish", "--store", tag("store")], env=env),
    )


def named_inputs(*names: str) -> models.Inputs:
    """Return parameters that the calling step gives."""
    return models.Inputs(parameters=[models.Parameter(name=name) for name in names])


def file_output(name: str, file: str, *, is_global: bool = False) -> models.Parameter:
    """Return the output parameter that has the content of a file; a global one is the workflow's as well."""
    global_name = name if is_global else None
    return models.Parameter(name=name, global_name=global_name, value_from=models.ValueFrom(path=f"{WORK}/{file}"))


def _artifact(name: str, file: str, key: str) -> models.Artifact:
    """Return a file that is kept in the bucket as it is; the repository gives the bucket."""
    archive = models.ArchiveStrategy(none=models.NoneStrategy())
    return models.Artifact(name=name, path=f"{WORK}/{file}", archive=archive, s3=models.S3Artifact(key=key))
