"""The WorkflowTemplates."""

from hera.workflows import models

from phase2.cluster.manifests.pod import pod_security
from phase2.cluster.plan import SERVICE_ACCOUNT
from phase2.cluster.request.resources import DAY

from . import parameters as p
from . import steps, training
from .calls import call, call_each, call_times, item, result, sequence, workflow_outputs
from .cluster import ARTIFACTS, ARTIFACTS_KEY, EXECUTOR
from .metadata import workflow_metadata
from .metrics import workflow_metrics
from .parameters import PARAMETERS, tag
from .pods import EXECUTOR_PATCH, NAMESPACE, container, labels, options, variable, volumes
from .resources import GROUP_POD, POD

PARALLEL_PODS = 4
"""Pods of one workflow that run at once."""


def workflow_templates() -> list[models.WorkflowTemplate]:
    """Return every WorkflowTemplate."""
    return [train(), sweep(), ensemble(), tune(), predict(), prune(), page()]


def train() -> models.WorkflowTemplate:
    """Return the training of one run, which is what ``run_phase2.py`` does with the same options."""
    nodes = result("validate", "nodes")
    main = sequence(
        call("validate"),
        call("prepare", {"pod": result("validate", "prepare-pod")}),
        call("train", {name: result("validate", name) for name in POD}, when=f"{nodes} == 1"),
        call("train-together", {name: result("validate", name) for name in GROUP_POD}, when=f"{nodes} > 1"),
        call("report"),
        call("register", {"run-id": result("report", "run-id")}),
        outputs=workflow_outputs("report", "mae"),
    )
    pods = [training.train(), training.train_together(), training.train_first(), training.train_others()]
    return _template(
        "phase2-train",
        "Train one run: check the request, prepare the data, train, report, and verify what is in the store.",
        [*options(p.REQUEST), variable("PHASE2_RUN_ID", tag("run-name"))],
        [main, steps.validate(), steps.prepare(), *pods, steps.report(), steps.register()],
    )


def sweep() -> models.WorkflowTemplate:
    """Return the training of every combination of levels, seeds and overrides, ranked by validation score."""
    main = sequence(
        call("expand"),
        call("prepare", {"pod": result("expand", "prepare-pod")}),
        _train_each(),
        call("compare", {"rows": result("train", "row")}),
        parallelism=PARALLEL_PODS,
        outputs=workflow_outputs("compare", "best-run", "comparison"),
    )
    return _template(
        "phase2-sweep",
        "Train every combination of the listed values, a few at a time, and rank the runs by validation score.",
        options(p.SHARED),
        [main, steps.expand(p.VARIED), steps.prepare(), training.train_item(), steps.compare()],
    )


def ensemble() -> models.WorkflowTemplate:
    """Return the training of several seeds of one run, which then predict together."""
    main = sequence(
        call("expand"),
        call("split"),
        call("prepare", {"pod": result("expand", "prepare-pod")}),
        _train_each(),
        call("compare", {"rows": result("train", "row")}),
        _predict_each({"runs": result("compare", "runs")}),
        parallelism=PARALLEL_PODS,
        outputs=workflow_outputs("compare", "runs", "comparison"),
    )
    predict_part = steps.predict(tag("runs", "inputs"), "runs")
    pods = [steps.split(p.RESOURCES), steps.prepare(), training.train_item(), steps.compare(), predict_part]
    return _template(
        "phase2-ensemble",
        "Train one request with several seeds, then predict structures with mean and standard deviation of all.",
        options(p.SHARED),
        [main, steps.expand(p.VARIED), *pods],
    )


def tune() -> models.WorkflowTemplate:
    """Return a search over settings by several workers, which share a study in the store."""
    main = sequence(
        call("define"),
        call("validate"),
        call("prepare", {"pod": result("validate", "prepare-pod")}),
        # A worker that fails leaves its trials to the others.
        call_times("work", tag("workers"), {name: result("validate", name) for name in POD}, accept_failures=True),
        call("show"),
        outputs=workflow_outputs("show", "best"),
    )
    pods = [steps.define(), steps.validate(is_run=False), steps.prepare(), training.work(), steps.show()]
    return _template(
        "phase2-tune",
        "Search settings by trials, each an ordinary run, with several workers that share a study in the store.",
        options(p.SEARCHED),
        [main, *pods],
    )


def predict() -> models.WorkflowTemplate:
    """Return the prediction of structures in a bucket by several pods; the tables go into the bucket."""
    main = sequence(call("split"), _predict_each({}), parallelism=PARALLEL_PODS)
    return _template(
        "phase2-predict",
        "Predict the structures below a prefix of a bucket; the tables go to predictions/ of the bucket.",
        options((p.PROPERTIES,)),
        [main, steps.split((p.CPU, p.MEMORY)), steps.predict(tag("run"))],
    )


def prune() -> models.WorkflowTemplate:
    """Return the removal of old runs."""
    summary = "Remove old runs that are not among the best of their kind; runs that can be resumed stay."
    return _template("phase2-prune", summary, [], [steps.prune()])


def page() -> models.WorkflowTemplate:
    """Return the publication of the page of all runs."""
    summary = "Write the page of all runs into the store, below page/; only new and changed runs are read."
    return _template("phase2-page", summary, [], [steps.page()])


def _train_each() -> models.WorkflowStep:
    # A run that fails is missing from the rows; the others stay.
    return call_each("train", result("expand", "runs"), item(*training.ITEM), accept_failures=True)


def _predict_each(parameters: dict[str, str]) -> models.WorkflowStep:
    return call_each(
        "predict", result("split", "parts"), item("part", "parts") | {"pod": result("split", "pod")} | parameters
    )


def _template(
    name: str, summary: str, env: list[models.EnvVar], templates: list[models.Template]
) -> models.WorkflowTemplate:
    """Return a WorkflowTemplate whose pods pass the Pod Security level ``restricted`` and hold no token.

    Args:
        name: Its name, whose parameters are those of ``PARAMETERS``.
        summary: One line for users.
        env: Variables of all its containers.
        templates: Its templates, the entry point ``main`` among them.
    """
    spec = models.WorkflowSpec(
        entrypoint="main",
        on_exit="finish",
        service_account_name=SERVICE_ACCOUNT,
        automount_service_account_token=False,
        executor=models.ExecutorConfig(service_account_name=EXECUTOR),
        artifact_repository_ref=models.ArtifactRepositoryRef(config_map=ARTIFACTS, key=ARTIFACTS_KEY),
        archive_logs=True,
        metrics=workflow_metrics(name),
        active_deadline_seconds=7 * DAY,
        ttl_strategy=models.TTLStrategy(seconds_after_success=7 * DAY, seconds_after_failure=14 * DAY),
        pod_gc=models.PodGC(strategy="OnWorkflowSuccess"),
        workflow_metadata=workflow_metadata(name),
        pod_metadata=models.Metadata(labels=labels()),
        security_context=models.PodSecurityContext.model_validate(pod_security()),
        pod_spec_patch=EXECUTOR_PATCH,
        volumes=volumes(),
        arguments=models.Arguments(parameters=[one.declaration() for one in PARAMETERS[name]]),
        template_defaults=models.Template(container=container(env)),
        templates=[*templates, steps.finish()],
    )
    annotations = {"workflows.argoproj.io/description": summary}
    metadata = models.ObjectMeta(name=name, namespace=NAMESPACE, labels=labels(), annotations=annotations)
    return models.WorkflowTemplate(
        api_version="argoproj.io/v1alpha1", kind="WorkflowTemplate", metadata=metadata, spec=spec
    )
