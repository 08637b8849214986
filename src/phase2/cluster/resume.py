"""The run that ``phase2 submit --resume`` resubmits: its id, request and options, from the cluster or a store."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from phase2.cluster.backends.base import BackendName
from phase2.cluster.labels import COMMAND_ANNOTATION, OPTIONS_ANNOTATION
from phase2.cluster.lookup import match_submitted
from phase2.cluster.namespace import SubmittedRun
from phase2.cluster.objects import annotation
from phase2.cluster.request.options import ClusterOptions
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError
from phase2.runs.catalog.lookup import find_in
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.base import Store


@dataclass(frozen=True, slots=True)
class ResumableRun:
    """A run to submit under an id of its own, again or for the first time.

    The twin on the training side, of an unfinished run directory, knows a prefix and a recorded configuration; this one
    knows what a submission needs.

    Attributes:
        run_id: Id of the run.
        request: What it trains.
        options: Cluster options that it was submitted with, as far as they are known.
        backend: Backend that executed it; None if unknown.
    """

    run_id: str
    request: RunRequest
    options: ClusterOptions = field(default_factory=ClusterOptions)
    backend: BackendName | None = None


def from_cluster(runs: Sequence[SubmittedRun], name: str) -> ResumableRun | None:
    """Find a run among those of a namespace; None if it is not listed, or no object of it records the request.

    Args:
        runs: The objects of the namespace, the newest first.
        name: Run id, name of an object, or a unique prefix.

    Raises:
        RequestError: Several runs match, it is a sweep or a worker of a study, or another version submitted it.
    """
    matching = match_submitted(runs, name)
    if matching is None:
        return None
    # A Workflow that argo submit created records no command, but an object of the same run before it may.
    commands = [(run, annotation(run.object, COMMAND_ANNOTATION)) for run in runs if run.run_id == matching.run_id]
    run, command = next(((run, text) for run, text in commands if text is not None), (matching, None))
    if command is None:
        return None
    arguments = shlex.split(command)
    if arguments[:2] == ["phase2", "sweep"]:
        raise RequestError(
            f"'{run.run_id}' is a sweep of several runs.",
            why="Only a single run is resumed by its id; a sweep is resumed by submitting it again.",
            fix=f"Run it again: {command}",
        )
    if arguments[:2] == ["phase2", "tune"]:
        raise RequestError(
            f"'{run.run_id}' is a worker of a study.",
            why="It trains many runs, and is continued by submitting it again.",
            fix=f"Run it again: {command}",
        )
    options = ClusterOptions.from_json(annotation(run.object, OPTIONS_ANNOTATION) or "{}")
    return ResumableRun(run.run_id, RunRequest.from_command(arguments), options, run.backend.name)


def from_store(store: Store, name: str) -> ResumableRun:
    """Find a run in a store that its pod can reach as well.

    Raises:
        RequestError: No run matches, several do, or the store is a folder of this machine.
        TransientError: The store does not answer.
    """
    found = find_in(store, name)
    if not store.url.startswith("s3://"):
        raise RequestError(
            f"The run '{found.run_id}' is in {store.url}, which a pod does not see.",
            why="A pod can only resume a run that is in a bucket.",
            fix="Continue it here with 'phase2 train --resume', or name the bucket with --store.",
        )
    recorded = RecordedConfig.stored(store, found.prefix)
    if recorded is None:
        raise RequestError(f"The run '{found.run_id}' is gone from {store.url}.", fix="List what there is.")
    return ResumableRun(found.run_id, RunRequest.from_command(recorded.command), ClusterOptions(store=store.url))
