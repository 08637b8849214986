"""A plan as an Argo Workflow that refers to the installed WorkflowTemplate ``phase2-train``. Pure."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from phase2.cluster.cluster_request import ClusterRequest
from phase2.cluster.plan import CACHE_CLAIM, Plan
from phase2.config.request import RunRequest
from phase2.errors import RequestError

TEMPLATE = "phase2-train"

# What the template decides for every workflow; a plan that asks for something else is none for it.
_OF_THE_TEMPLATE = ("cpu_limit", "retries", "grace_seconds")


def build_workflow(plan: Plan) -> dict[str, Any]:
    """The Workflow of a plan, as the API server takes it.

    Raises:
        RequestError: The plan has something that the template does not leave open.
    """
    cluster = plan.cluster
    _refuse_what_the_template_decides(plan)
    spec: dict[str, Any] = {
        "workflowTemplateRef": {"name": TEMPLATE},
        "arguments": {
            "parameters": [{"name": name, "value": value} for name, value in workflow_parameters(plan).items()]
        },
        "ttlStrategy": {"secondsAfterCompletion": cluster.keep_seconds},
    }
    if cluster.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = cluster.deadline_seconds
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": plan.name,
            "namespace": cluster.namespace,
            "labels": dict(plan.labels),
            "annotations": dict(plan.annotations),
        },
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
    given = {"store": cluster.store, "priority": cluster.priority, "queue": cluster.queue}
    return {
        **asked,
        "image": cluster.image.reference,
        "run-name": plan.run_id,
        "cpu": cluster.cpu.text,
        "memory": cluster.memory.text,
        "gpus": str(cluster.gpus),
        **{name: value for name, value in given.items() if value is not None},
        **({"node-selector": json.dumps(dict(cluster.node_selector))} if cluster.node_selector else {}),
        **({"tolerations": json.dumps([one.manifest() for one in cluster.tolerations])} if cluster.tolerations else {}),
    }


def _word(value: object) -> str:
    if value is True:
        return "true"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _refuse_what_the_template_decides(plan: Plan) -> None:
    cluster = plan.cluster
    defaults = ClusterRequest(image=cluster.image)
    asked = [name for name in _OF_THE_TEMPLATE if getattr(cluster, name) != getattr(defaults, name)]
    if cluster.cache not in {None, CACHE_CLAIM}:
        asked.append("cache")
    words = plan.resolved.request.command()
    asked += [word.removeprefix("--") for word in plan.command[len(words) :] if word.startswith("--")]
    if asked:
        names = ", ".join("--" + name.replace("_", "-") for name in asked)
        raise RequestError(
            f"{names} cannot be combined with --backend argo.",
            why=f"The WorkflowTemplate {TEMPLATE} decides that for every workflow.",
            fix="Drop it, or use --backend job.",
        )
