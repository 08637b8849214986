"""A run that was begun and is to go on: its id, its request and what it was given, from the cluster or a store."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from phase2.cluster.backend import ClusterBackend
from phase2.cluster.labels import COMMAND_ANNOTATION, WORDS_ANNOTATION
from phase2.cluster.lookup import find_runs
from phase2.cluster.namespace import SubmittedRun
from phase2.cluster.objects import annotation
from phase2.cluster.request.options import ClusterOptions
from phase2.config.request import RunRequest
from phase2.errors import RequestError
from phase2.runs.catalog.lookup import find_in
from phase2.runs.run_config import RecordedConfig
from phase2.storage.base import Store


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that has an id.

    Attributes:
        run_id: Its id.
        request: What it trains.
        words: What it was given on the cluster, as far as that is known.
        backend: What carried it; None where that is not known.
    """

    run_id: str
    request: RunRequest
    words: ClusterOptions = field(default_factory=ClusterOptions)
    backend: ClusterBackend | None = None


def from_cluster(runs: Sequence[SubmittedRun], name: str) -> BegunRun | None:
    """Find a run among those of a namespace; None where it is not listed, or nothing there says what it trains.

    Raises:
        RequestError: Several are meant, it is a sweep, or another version of phase2 submitted it.
    """
    for run in find_runs(runs, name):
        command = annotation(run.object, COMMAND_ANNOTATION)
        if command is None:  # made by other hands, such as argo submit
            return None
        words = shlex.split(command)
        if words[:2] == ["phase2", "sweep"]:
            raise RequestError(
                f"'{run.run_id}' is a sweep of several runs.",
                why="A run goes on by its own id, and a sweep by the words that it was made of.",
                fix=f"Run it again: {command}",
            )
        said = annotation(run.object, WORDS_ANNOTATION) or "{}"
        request, cluster = RunRequest.from_command(words), ClusterOptions.from_json(said)
        return BegunRun(run.run_id, request, cluster, run.carrier.backend)
    return None


def from_store(store: Store, name: str) -> BegunRun:
    """Find a run in a store, where its pod will find it too.

    Raises:
        RequestError: No run is meant, or several are, or it lies in a folder of this machine.
        TransientError: The store does not answer.
    """
    found = find_in(store, name)
    if not store.url.startswith("s3://"):
        raise RequestError(
            f"The run '{found.run_id}' is in {store.url}, which a pod does not see.",
            why="Only what is in a bucket goes on elsewhere.",
            fix="Continue it here with 'phase2 train --resume', or name the bucket with --store.",
        )
    recorded = RecordedConfig.stored(store, found.prefix)
    if recorded is None:
        raise RequestError(f"The run '{found.run_id}' is gone from {store.url}.", fix="List what there is.")
    return BegunRun(found.run_id, RunRequest.from_command(recorded.command), ClusterOptions(store=store.url))
