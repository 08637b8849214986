"""The WorkflowTemplates, and the thin Workflows and CronWorkflows that use them."""

from phase2.cluster.plan import WORK

from . import parameters as p
from . import steps
from .parameters import Manifest, Parameter
from .pods import (
    NAMESPACE,
    artifact,
    call,
    filled,
    handed_on,
    labels,
    output,
    result,
    retry,
    step,
    training,
    value,
    variable,
    workflow_template,
)  # fmt: skip

MOST_AT_ONCE = 4

_REQUEST = (
    p.ALGORITHM, p.LEVEL, p.COMPETITION, p.ALL_PROPERTIES, p.PROPERTIES, p.RESUME, p.EPOCHS, p.LR, p.BATCH_SIZE,
    p.PRESET, p.MAX_SAMPLES, p.SEED, p.DATA,
)  # fmt: skip
_SHARED = (p.ALGORITHM, p.ALL_PROPERTIES, p.PROPERTIES, p.DATA)


def train() -> Manifest:
    """One run: what ``run_phase2.py`` does with the same words."""
    main: Manifest = {
        "name": "main",
        "steps": [
            call("validate", "validate"),
            call("prepare", "prepare"),
            call("train", "train"),
            call("report", "report"),
            call("register", "register", {"run-id": result("report", "run-id")}),
        ],
        "outputs": handed_on("report", "run-id", "mae"),
    }
    report = step(
        "report", "workflow", "report", "--store", value("store"), "--to", WORK,
        retryStrategy=retry("3"),
        outputs={
            "parameters": [output("run-id", "run-id"), output("mae", "mae.md")],
            "artifacts": [artifact("report", "report.md", "workflows/{{workflow.name}}/report.md")],
        },
    )  # fmt: skip
    register = step(
        "register", "runs", "verify", "{{inputs.parameters.run-id}}", "--store", value("store"),
        inputs={"parameters": [{"name": "run-id"}]},
        retryStrategy=retry("3"),
    )  # fmt: skip
    validate = step("validate", "train", "--dry-run", "--store", value("store"), retryStrategy=retry("3"))
    env = [*filled(_REQUEST), variable("PHASE2_RUN_ID", value("run-name"))]
    return workflow_template(
        "phase2-train",
        "Train one run: check the request, prepare the data, train, report, and verify what is in the store.",
        p.TRAIN,
        env,
        [main, validate, steps.prepare(), training("train", []), report, register],
    )


def sweep() -> Manifest:
    """Every combination of levels, seeds and overrides, compared by validation score."""
    main = {
        "name": "main",
        "parallelism": MOST_AT_ONCE,
        "steps": [
            call("expand", "expand"),
            call("prepare", "prepare"),
            steps.fan_out(),
            call("compare", "compare", {"rows": result("train", "row")}),
        ],
        "outputs": handed_on("compare", "best-run", "comparison"),
    }
    return workflow_template(
        "phase2-sweep",
        "Train every combination of the listed values, a few at a time, and rank the runs by validation score.",
        p.SWEEP,
        filled(_SHARED),
        [main, steps.expand(p.VARIED), steps.prepare(), steps.train_item(), steps.compare()],
    )


def ensemble() -> Manifest:
    """CompositeReporter seeds of one run, which then predict together."""
    main = {
        "name": "main",
        "parallelism": MOST_AT_ONCE,
        "steps": [
            call("expand", "expand"),
            call("split", "split"),
            call("prepare", "prepare"),
            steps.fan_out(),
            call("compare", "compare", {"rows": result("train", "row")}),
            steps.fan_out_parts({"runs": result("compare", "runs")}),
        ],
        "outputs": handed_on("compare", "runs", "comparison"),
    }
    predict = steps.predict([variable("PHASE2_RUNS", "{{inputs.parameters.runs}}")], "runs")
    return workflow_template(
        "phase2-ensemble",
        "Train one request with several seeds, then predict structures with mean and standard deviation of all.",
        p.ENSEMBLE,
        filled(_SHARED),
        [main, steps.expand(p.VARIED), steps.split(), steps.prepare(), steps.train_item(), steps.compare(), predict],
    )


def predict() -> Manifest:
    """Structures of a bucket, shared by several pods; the predictions go into the bucket."""
    main = {
        "name": "main",
        "parallelism": MOST_AT_ONCE,
        "steps": [call("split", "split"), steps.fan_out_parts({})],
    }
    return workflow_template(
        "phase2-predict",
        "Predict the structures below a prefix of a bucket; the tables go to predictions/ of the bucket.",
        p.PREDICT,
        filled((p.PROPERTIES,)),
        [main, steps.split(), steps.predict([variable("PHASE2_RUNS", value("run"))])],
    )


def prune() -> Manifest:
    """The clean-up of old runs."""
    main = step(
        "main", "runs", "prune", "--keep-best", value("keep-best"), "--older-than", value("older-than"), "--yes",
        "--store", value("store"),
        retryStrategy=retry("3"),
    )  # fmt: skip
    summary = "Remove old runs that are not among the best of their kind; runs that can be resumed stay."
    return workflow_template("phase2-prune", summary, p.PRUNE, [], [main])


def thin(template: str, parameters: tuple[Parameter, ...], generate_name: str) -> Manifest:
    """A Workflow that only says what is to be done: ``argo submit`` takes no other kind."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": generate_name, "namespace": NAMESPACE, "labels": labels()},
        "spec": {
            "workflowTemplateRef": {"name": template},
            "arguments": {"parameters": [{"name": one.name, "value": one.value} for one in parameters]},
        },
    }


def cron(name: str, template: str, schedule: str, arguments: dict[str, str]) -> Manifest:
    """A Workflow by the clock."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "CronWorkflow",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels()},
        "spec": {
            "schedules": [schedule],
            "timezone": "UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 7,
            "workflowSpec": {
                "workflowTemplateRef": {"name": template},
                "arguments": {"parameters": [{"name": key, "value": word} for key, word in arguments.items()]},
            },
        },
    }
