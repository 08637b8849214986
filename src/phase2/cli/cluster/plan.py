"""Output of ``phase2 submit --dry-run``: the manifest as YAML for kubectl, with the plan in comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from phase2.cli.console import note
from phase2.cli.store import print_json
from phase2.config.settings import store_url
from phase2.errors import Phase2Error

if TYPE_CHECKING:
    from phase2.cluster.backend import RunBackend
    from phase2.cluster.estimate import Estimate
    from phase2.cluster.plan import Plan
    from phase2.runs.manifest import RunManifest


def print_plan(plan: Plan, backend: RunBackend, *, as_json: bool) -> None:
    """Print a plan and its manifest."""
    from phase2.cluster.estimate import estimate
    from phase2.cluster.manifests.job import to_yaml

    manifest = backend.build(plan)
    work = estimate(plan.resolved.config, _measured(plan), on_gpu=plan.cluster.gpus > 0)
    facts = dict(_facts(plan, backend, work))
    if as_json:
        print_json(
            {
                "run": plan.run_id,
                "plan": facts,
                "steps": work.steps,
                "estimated_seconds": work.seconds,
                "manifest": manifest,
            }
        )
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        typer.echo(f"# {name:<{width}}  {value}")
    typer.echo(to_yaml(manifest), nl=False)


def _facts(plan: Plan, backend: RunBackend, work: Estimate) -> Iterator[tuple[str, str]]:
    from phase2.cluster.request.resources import format_duration

    cluster, training = plan.cluster, plan.resolved.config.training
    gpus = f"{cluster.gpus} GPU{'s' if cluster.gpus > 1 else ''}" if cluster.gpus else "no GPU"
    limit = f", {cluster.cpu_limit} at most" if cluster.cpu_limit else ""
    yield "run", plan.run_id
    yield "command", " ".join(plan.command)
    yield "image", f"{cluster.image}" + ("" if cluster.image.digest else " (a tag: its digest cannot be recorded)")
    yield "resources", f"{cluster.cpu} cores{limit}, {cluster.memory} memory, {gpus}"
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
    if work.seconds is None:
        yield "time", "not known: the store has no comparable run"
    else:
        runs = f"{work.measured} comparable run{'s' if work.measured > 1 else ''}"
        yield "time", f"about {format_duration(work.seconds)}, by {runs} on {work.hardware}"


def _measured(plan: Plan) -> list[RunManifest]:
    """Read comparable runs from the store, if it is known and answers at once."""
    url = plan.cluster.store or store_url()
    if url is None:
        return []
    from phase2.cluster.measured import measured_runs
    from phase2.storage.s3.settings import S3Settings
    from phase2.storage.urls import open_store

    try:
        quick = replace(S3Settings.from_environment(), attempts=1, timeout=5.0)
        return measured_runs(open_store(url, quick), plan.resolved.config)
    except Phase2Error as error:
        note(f"note: no time is estimated: {error.what}")
        return []
