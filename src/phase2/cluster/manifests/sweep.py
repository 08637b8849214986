"""Argo Workflow manifest of a sweep; it refers to the installed WorkflowTemplate ``phase2-sweep``. Pure."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from typing import Any

from phase2.cluster.labels import COMMAND_ANNOTATION, REQUEST_ANNOTATION, labels_of
from phase2.cluster.manifests.workflow import cluster_parameters, refuse_for_argo, thin_workflow
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import ClusterRequest
from phase2.cluster.run_state import SWEEP
from phase2.cluster.visibility import refuse_invisible_data, refuse_invisible_split
from phase2.config.multirun.sweep import SweepRequest, SweepRun
from phase2.config.resolve import resolve
from phase2.config.settings import CHECKPOINT_MINUTES

TEMPLATE = "phase2-sweep"


def build_sweep(name: str, request: SweepRequest, cluster: ClusterRequest, given: ClusterOptions) -> dict[str, Any]:
    """Build the Workflow of a sweep; its runs have the ids that :meth:`SweepRequest.runs` gives them.

    Args:
        name: Name of the Workflow, and of the sweep.
        request: The sweep.
        cluster: Namespace, deadline and what the template fixes.
        given: Resources and placement that were given; the others are the installation's, for each run its own.

    Raises:
        RequestError: The sweep is invalid, or sets an option that the template fixes.
        UnknownNameError: There is no data set of this name.
    """
    refuse_for_argo(
        cluster, ["checkpoint-minutes"] if cluster.checkpoint_minutes != CHECKPOINT_MINUTES else [], template=TEMPLATE
    )
    runs = request.runs(name)
    data = [resolve(run.request).config.data for run in runs]
    for source in {one.source for one in data}:
        refuse_invisible_data(source, cluster)
    for split in {one.split_name for one in data}:
        refuse_invisible_split(split, cluster)
    labels = labels_of(name, request.algorithm, SWEEP)
    annotations = {
        COMMAND_ANNOTATION: shlex.join(request.command(name)),
        REQUEST_ANNOTATION: members_digest(runs),
    }
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    return thin_workflow(cluster, metadata, TEMPLATE, request.options() | cluster_parameters(given))


def members_digest(runs: Sequence[SweepRun]) -> str:
    """Return a digest of the runs of a sweep, to tell whether two objects of its name are of the same ones."""
    members = "".join(f"{run.run_id} {resolve(run.request).config.digest}\n" for run in runs)
    return hashlib.sha256(members.encode()).hexdigest()
