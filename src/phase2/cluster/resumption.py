"""A run that was begun and is to go on: its id, its request and what it was given, from its Job or from its store."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from phase2.cluster.api_objects import Object, name_of
from phase2.cluster.cluster_words import ClusterWords
from phase2.cluster.lookup import find_jobs
from phase2.cluster.plan import COMMAND_ANNOTATION, RUN_LABEL, WORDS_ANNOTATION
from phase2.config.request import RunRequest
from phase2.errors import RequestError
from phase2.runs.recorded_config import RecordedConfig
from phase2.runs.registry import find_in
from phase2.storage.base import Store


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that has an id.

    Attributes:
        run_id: Its id.
        request: What it trains.
        words: What it was given on the cluster, as far as that is known.
    """

    run_id: str
    request: RunRequest
    words: ClusterWords = field(default_factory=ClusterWords)


def from_job(jobs: Sequence[Object], name: str) -> BegunRun | None:
    """Find a run among the Jobs of a namespace; None where it is not listed.

    Raises:
        RequestError: Several are meant, or another version of phase2 submitted it.
    """
    for job in find_jobs(jobs, name):
        labels, annotations = job["metadata"].get("labels") or {}, job["metadata"].get("annotations") or {}
        return BegunRun(
            str(labels.get(RUN_LABEL) or name_of(job)),  # a run by the clock has the name of its Job
            RunRequest.from_command(shlex.split(annotations.get(COMMAND_ANNOTATION, ""))),
            ClusterWords.from_json(annotations.get(WORDS_ANNOTATION) or "{}"),
        )
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
    return BegunRun(found.run_id, RunRequest.from_command(recorded.command), ClusterWords(store=store.url))
