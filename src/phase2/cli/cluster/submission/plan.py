"""Output of ``phase2 submit --dry-run``: the manifest as YAML for kubectl, with the plan in comments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from phase2.cli.console import echo, echo_text
from phase2.cli.store import print_json

if TYPE_CHECKING:
    from phase2.cluster.backends.base import RunBackend
    from phase2.cluster.estimate.cost import Cost
    from phase2.cluster.estimate.work import Estimate
    from phase2.cluster.plan import Plan


def print_plan(
    plan: Plan, backend: RunBackend, manifest: dict[str, Any], work: Estimate, cost: Cost, *, as_json: bool
) -> None:
    """Print a plan with its estimated work and cost, and its manifest."""
    from phase2.cluster.manifests.job import to_yaml

    facts = dict(_facts(plan, backend, work, cost))
    if as_json:
        print_json(
            {
                "run": plan.run_id,
                "plan": facts,
                "steps": work.steps,
                "estimated_seconds": work.seconds,
                "estimated_from": work.source,
                "cost": cost.facts(),
                "manifest": manifest,
            }
        )
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        echo(f"# {name:<{width}}  {value}")
    echo_text(to_yaml(manifest))


def _facts(plan: Plan, backend: RunBackend, work: Estimate, cost: Cost) -> Iterator[tuple[str, str]]:
    from phase2.cluster.estimate.cost import describe_cost
    from phase2.cluster.estimate.limit import describe_time
    from phase2.cluster.request.resources import GPU_RESOURCE, format_duration

    cluster, training = plan.cluster, plan.resolved.config.training
    gpus = f"{cluster.gpus} GPU{'s' if cluster.gpus > 1 else ''}" if cluster.gpus else "no GPU"
    if cluster.gpus and cluster.gpu_resource != GPU_RESOURCE:
        gpus = f"{cluster.gpus} {cluster.gpu_resource}"
    limit = f", {cluster.cpu_limit} at most" if cluster.cpu_limit else ""
    yield "run", plan.run_id
    yield "command", " ".join(plan.command)
    yield "image", f"{cluster.image}" + ("" if cluster.image.digest else " (a tag: its digest cannot be recorded)")
    pods = f"{cluster.nodes} pods, each with " if cluster.is_group else ""
    yield "resources", f"{pods}{cluster.cpu} cores{limit}, {cluster.memory} memory, {gpus}"
    yield "place", f"{backend.kind} {plan.name} in the namespace {cluster.namespace}"
    yield "data cache", f"PersistentVolumeClaim {cluster.cache}" if cluster.cache else "an empty one in each pod"
    yield "store", cluster.store or "that of the ConfigMap phase2-store in the namespace"
    deadline = format_duration(cluster.deadline_seconds) if cluster.deadline_seconds else "never"
    retries = str(cluster.retries) if backend.name == "job" else "as the WorkflowTemplate says"
    yield "retries", f"{retries}; deadline: {deadline}; grace period: {cluster.grace_seconds} s"
    if work.steps is None:
        yield "steps", f"{training.epochs} epochs; the size of the data is not known here"
    else:
        about = "" if work.is_exact else "about "
        yield (
            "steps",
            f"{about}{work.steps:,}: {training.epochs} epochs of {about}{work.train:,} crystals, "
            f"{training.batch_size} at a time",
        )
    yield "time", describe_time(work)
    yield "cost", describe_cost(cost)
