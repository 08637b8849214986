"""A plan as an Argo Workflow that refers to the installed WorkflowTemplate ``phase2-train``. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from phase2.cluster.labels import PLAN_ANNOTATION, spec_digest
from phase2.cluster.objects import Object
from phase2.cluster.plan import CACHE_CLAIM, Plan
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request import RunRequest
from phase2.errors import RequestError

TEMPLATE = "phase2-train"
CONTAINER = "main"
"""What Argo calls the container of a step; its own are beside it."""

# What the template decides for every workflow; a plan that asks for something else is none for it.
_OF_THE_TEMPLATE = ("cpu_limit", "retries", "grace_seconds")


def build_workflow(plan: Plan) -> dict[str, Any]:
    """The Workflow of a plan, as the API server takes it.

    Raises:
        RequestError: The plan has something that the template does not leave open.
    """
    _refuse_what_the_template_decides(plan)
    metadata = {"name": plan.name, "labels": dict(plan.labels), "annotations": dict(plan.annotations)}
    return thin_workflow(plan.cluster, metadata, TEMPLATE, workflow_parameters(plan))


def thin_workflow(
    cluster: ClusterRequest,
    metadata: Mapping[str, Any],
    template: str,
    parameters: Mapping[str, str],
) -> dict[str, Any]:
    """A Workflow that sets nothing but the arguments of a template, and how long it runs and is kept.

    Args:
        cluster: What it is given.
        metadata: Its name, labels and annotations.
        template: Name of the WorkflowTemplate.
        parameters: Values of its parameters; what is left out has the template's default.
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
    """The parameters that say the same as a plan; what was not given is left to the template."""
    request, cluster = plan.resolved.request, plan.cluster
    asked = {
        field.name.replace("_", "-"): _word(getattr(request, field.name))
        for field in fields(RunRequest)
        if field.name != "output" and request.given(field.name)
    }
    return {**asked, "run-name": plan.run_id, **cluster_parameters(cluster)}


def cluster_parameters(cluster: ClusterRequest) -> dict[str, str]:
    """The parameters that say what is asked of the cluster."""
    given = {"store": cluster.store, "priority": cluster.priority, "queue": cluster.queue}
    return {
        "image": cluster.image.reference,
        "cpu": cluster.cpu.text,
        "memory": cluster.memory.text,
        "gpus": str(cluster.gpus),
        **{name: value for name, value in given.items() if value is not None},
        **({"node-selector": json.dumps(dict(cluster.node_selector))} if cluster.node_selector else {}),
        **({"tolerations": json.dumps([one.manifest() for one in cluster.tolerations])} if cluster.tolerations else {}),
    }


def given_parameters(workflow: Object) -> dict[str, str]:
    """The parameters that a Workflow sets, whoever made it; an empty one is not given."""
    found = ((workflow.get("spec") or {}).get("arguments") or {}).get("parameters") or []
    return {str(one["name"]): str(one["value"]) for one in found if one.get("value")}


def _word(value: object) -> str:
    if value is True:
        return "true"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _refuse_what_the_template_decides(plan: Plan) -> None:
    words = len(plan.resolved.request.command())
    said = [word.removeprefix("--") for word in plan.command[words:] if word.startswith("--")]
    refuse_for_argo(plan.cluster, said, template=TEMPLATE)


def refuse_for_argo(cluster: ClusterRequest, asked: Sequence[str] = (), *, template: str) -> None:
    """Refuse what a template decides for every workflow, rather than forget it.

    Args:
        cluster: What is asked of the cluster.
        asked: Further options that were given and cannot be.
        template: Name of the WorkflowTemplate.

    Raises:
        RequestError: There is something.
    """
    defaults = ClusterRequest(image=cluster.image)
    found = [name for name in _OF_THE_TEMPLATE if getattr(cluster, name) != getattr(defaults, name)]
    if cluster.cache not in {None, CACHE_CLAIM}:
        found.append("cache")
    found += [name for name in asked if name.replace("-", "_") not in found]
    if found:
        names = ", ".join("--" + name.replace("_", "-") for name in found)
        raise RequestError(
            f"{names} cannot be combined with --backend argo.",
            why=f"The WorkflowTemplate {template} decides that for every workflow.",
            fix="Drop it, or use --backend job.",
        )
