"""What the objects have in common that a run is submitted as. Pure."""

from __future__ import annotations

from typing import Any

from phase2.cluster.labels import PLAN_ANNOTATION, spec_digest
from phase2.cluster.plan import Plan

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"


def run_object(plan: Plan, api_version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the object of a plan: its name and labels, and suspended until its queue admits it, if it has one.

    Args:
        plan: The plan.
        api_version: Group and version of the kind.
        kind: Kind of the object, whose spec has a field ``suspend``.
        spec: The rest of its spec.
    """
    labels, queue = dict(plan.labels), plan.cluster.queue
    if queue is not None:
        labels[QUEUE_LABEL] = queue
        spec = {**spec, "suspend": True}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": plan.name,
            "namespace": plan.cluster.namespace,
            "labels": labels,
            "annotations": {**plan.annotations, PLAN_ANNOTATION: spec_digest(spec)},
        },
        "spec": spec,
    }
