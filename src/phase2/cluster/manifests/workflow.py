"""Argo Workflow manifest of a plan; it refers to the installed WorkflowTemplate ``phase2-train``. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from phase2.cluster.labels import PLAN_ANNOTATION, spec_digest
from phase2.cluster.manifests.group import meeting_variables
from phase2.cluster.objects import Object
from phase2.cluster.plan import CACHE_CLAIM, Plan
from phase2.cluster.request.names import parse_node_selector, parse_toleration
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.assignments import join_texts
from phase2.config.request.options import flag
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

TEMPLATE = "phase2-train"
TEMPLATES = frozenset(
    {TEMPLATE, "phase2-sweep", "phase2-ensemble", "phase2-tune", "phase2-predict", "phase2-prune", "phase2-page"}
)
"""Names of all WorkflowTemplates that are installed."""
CONTAINER = "main"
"""Name of a step's main container in Argo."""
FIRST_STEP, OTHERS_STEP = "train-first", "train-others"
"""Names of the steps of a training on several nodes: of the pod that leads, and of the others."""

# Options that the templates fix for every workflow: a plan cannot change them.
_FIXED_BY_TEMPLATE = ("cpu_limit", "retries", "grace_seconds")

# Fields of a request that are no parameters by their own name.
_NO_PARAMETERS = ("output", "settings", "origins")


def build_workflow(plan: Plan) -> dict[str, Any]:
    """Build the Workflow of a plan, as the API server accepts it.

    Raises:
        RequestError: The plan sets an option that the template fixes, or several nodes that it cannot name or queue.
    """
    _refuse_fixed_options(plan)
    if plan.cluster.is_group:
        refuse_queued_group(plan.cluster)
        meeting_variables(plan.name, plan.cluster.nodes)  # which cannot be named so, before anything is submitted
    metadata = {"name": plan.name, "labels": dict(plan.labels), "annotations": dict(plan.annotations)}
    return thin_workflow(plan.cluster, metadata, TEMPLATE, workflow_parameters(plan))


def thin_workflow(
    cluster: ClusterRequest,
    metadata: Mapping[str, Any],
    template: str,
    parameters: Mapping[str, str],
) -> dict[str, Any]:
    """Build a Workflow that only sets the arguments of a template, its deadline and its time to live.

    Args:
        cluster: Resources and placement.
        metadata: Name, labels and annotations.
        template: Name of the WorkflowTemplate.
        parameters: Values of the template's parameters; the others keep their defaults.
    """
    arguments = [{"name": name, "value": value} for name, value in parameters.items()]
    spec: dict[str, Any] = {
        "workflowTemplateRef": {"name": template},
        "arguments": {"parameters": arguments},
        "ttlStrategy": {"secondsAfterCompletion": cluster.keep_seconds},
    }
    if cluster.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = cluster.deadline_seconds
    annotations = {**metadata["annotations"], PLAN_ANNOTATION: spec_digest(spec)}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {**metadata, "namespace": cluster.namespace, "annotations": annotations},
        "spec": spec,
    }


def workflow_parameters(plan: Plan) -> dict[str, str]:
    """Return the parameters equivalent to a plan; options that were not given keep the template's defaults."""
    request = plan.resolved.request
    requested = {
        flag(field.name).removeprefix("--"): _as_text(getattr(request, field.name))
        for field in fields(RunRequest)
        if field.name not in (*_NO_PARAMETERS, "own_properties") and request.given(field.name)
    }
    if request.own_properties:
        requested["property"] = join_texts([one.text for one in request.own_properties])
    if request.settings:
        requested["set"] = join_texts([one.text for one in request.settings])
    return {**requested, "run-name": plan.run_id, **cluster_parameters(plan.given)}


def cluster_parameters(options: ClusterOptions) -> dict[str, str]:
    """Return the parameters for image, resources and placement that were given.

    What was not given is the installation's: the first step of the Workflow finds it.
    """
    given = {
        "image": options.image,
        "store": options.store,
        "nodes": options.nodes,
        "gpus": options.gpus,
        "gpu-resource": options.gpu_resource,
        "cpu": options.cpu,
        "memory": options.memory,
        "ephemeral-storage": options.ephemeral_storage,
        "priority": options.priority,
        "queue": options.queue,
        "max-hours": None if options.max_hours is None else f"{options.max_hours:g}",
    }
    if options.node_selector is not None:
        given["node-selector"] = json.dumps(dict(map(parse_node_selector, options.node_selector)))
    if options.toleration is not None:
        given["tolerations"] = json.dumps([parse_toleration(one).manifest() for one in options.toleration])
    return {name: str(value) for name, value in given.items() if value is not None}


def given_parameters(workflow: Object) -> dict[str, str]:
    """Return the parameters that a Workflow sets; an empty value counts as not given."""
    found = ((workflow.get("spec") or {}).get("arguments") or {}).get("parameters") or []
    return {str(each["name"]): str(each["value"]) for each in found if each.get("value")}


def _as_text(value: object) -> str:
    if value is True:
        return "true"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _refuse_fixed_options(plan: Plan) -> None:
    own = len(plan.resolved.request.command())
    added = [word.removeprefix("--") for word in plan.command[own:] if word.startswith("--")]
    refuse_for_argo(plan.cluster, added, template=TEMPLATE)


def refuse_for_argo(cluster: ClusterRequest, options: Sequence[str] = (), *, template: str) -> None:
    """Refuse options that a template fixes for every workflow, rather than ignore them.

    Args:
        cluster: Resources and placement.
        options: Names of further options that were given and that the template fixes.
        template: Name of the WorkflowTemplate.

    Raises:
        RequestError: There is such an option.
    """
    defaults = ClusterRequest(image=cluster.image)
    fixed = _FIXED_BY_TEMPLATE if template == TEMPLATE else ("nodes", *_FIXED_BY_TEMPLATE)
    found = [name for name in fixed if getattr(cluster, name) != getattr(defaults, name)]
    if cluster.cache not in {None, CACHE_CLAIM}:
        found.append("cache")
    found += [name for name in options if name.replace("-", "_") not in found]
    if found:
        names = ", ".join("--" + name.replace("_", "-") for name in found)
        raise RequestError(
            f"{names} cannot be combined with --backend argo.",
            why=f"The WorkflowTemplate {template} fixes that for every workflow, or has no parameter for it.",
            fix="Drop it, or use --backend job.",
        )


def refuse_queued_group(cluster: ClusterRequest) -> None:
    """Refuse a queue for several pods of a Workflow.

    Raises:
        RequestError: There is a queue.
    """
    if cluster.is_group and cluster.queue is not None:
        raise RequestError(
            f"A Workflow on {cluster.nodes} nodes cannot wait in the queue {cluster.queue}.",
            why="Kueue would admit each of its pods alone, and two such runs could hold half of their pods for ever.",
            fix="Use phase2 submit --backend job, whose pods Kueue admits together, or train on one node.",
        )
