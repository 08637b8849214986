"""Progress of runs in a cluster, read from the last lines of their logs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.logs import stamped
from phase2.cluster.backends.registry import CLUSTER_BACKENDS
from phase2.cluster.namespace import Cluster
from phase2.cluster.run_state import RunState
from phase2.errors import Phase2Error
from phase2.output.durations import short_duration
from phase2.runs.live.log_progress import LogProgress
from phase2.storage.parallel import in_parallel

_TAIL = 60
_FRESH_SECONDS = 15.0
_MOST = 50


class ProgressReader:
    """Reader of the time that running runs still take; asks for the log of a pod at most every fifteen seconds.

    Args:
        cluster: The namespace, or all of them.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._read: dict[tuple[str, str], tuple[float, LogProgress]] = {}

    def complete(self, states: Sequence[RunState]) -> list[RunState]:
        """Return the states, with the time left where a run is running and its log says so.

        Logs that may not be read, or cannot be now, leave a state as it is; of many runs, the newest are asked.
        """
        running = [state for state in states if state.state == "running" and state.pod][:_MOST]
        completed = dict(zip(map(_key, running), in_parallel(self._with_progress, running), strict=True))
        return [completed.get(_key(state), state) for state in states]

    def _with_progress(self, state: RunState) -> RunState:
        with suppress(Phase2Error):  # the pod is gone, or logs may not be read
            progress = self._progress(state)
            left = progress.eta()
            if left is not None:
                of = f"/{progress.epochs}" if progress.epochs else ""
                text = f"{state.message}; epoch {progress.epoch}{of}, about {short_duration(left)} left"
                return replace(state, message=text, eta_seconds=round(left))
        return state

    def _progress(self, state: RunState) -> LogProgress:
        key = (state.namespace, str(state.pod))
        known = self._read.get(key)
        if known is None or time.monotonic() - known[0] > _FRESH_SECONDS:
            known = (time.monotonic(), _tail(self._client(state), str(state.pod)))
            self._read[key] = known
        return known[1]

    def _client(self, state: RunState) -> RunClient:
        (backend,) = (each for each in CLUSTER_BACKENDS.values() if each.kind == state.kind)
        return RunClient(self._cluster.connection, state.namespace, backend)


def feed_stamped(progress: LogProgress, line: str) -> None:
    """Read a line that begins with its time, as the API server gives it."""
    found = stamped(line)
    if found is None:
        return
    stamp, text = found
    at = None
    with suppress(ValueError):
        at = datetime.fromisoformat(stamp).timestamp()
    progress.feed(text, at=at)


def _tail(client: RunClient, pod: str) -> LogProgress:
    progress = LogProgress()
    for line in client.log(pod, tail=_TAIL, timestamps=True).splitlines():
        feed_stamped(progress, line)
    return progress


def _key(state: RunState) -> tuple[str, str]:
    return state.namespace, state.run_id
