"""Looking at the runs of a cluster: states from the API server, progress from the logs, which are followed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.logs import LogReader
from phase2.cluster.backends.registry import CLUSTER_BACKENDS
from phase2.cluster.namespace import Cluster
from phase2.cluster.objects import name_of, newest_first
from phase2.cluster.run_state import RunState
from phase2.cluster.status.group import of_rank
from phase2.cluster.status.pod import has_started
from phase2.errors import Phase2Error
from phase2.runs.live.log_progress import LogProgress
from phase2.runs.live.points import thinned
from phase2.runs.live.record import MOST_ROWS
from phase2.runs.live.view import RunView

_PAUSE = 2.0


@dataclass(slots=True)
class _FollowedLog:
    """Progress of a run, the pods whose logs are read for it, the newest of them, and whether the run has ended."""

    progress: LogProgress = field(default_factory=LogProgress)
    pods: set[str] = field(default_factory=set)
    newest: str = ""
    has_ended: bool = False


class ClusterRuns:
    """Runs of a namespace, or some of them.

    Args:
        cluster: The namespace.
        names: Run ids, names of objects or unique prefixes; none is all runs that have not ended, and those that end
            while they are watched.
    """

    interval = 3.0
    """Seconds between two looks."""

    def __init__(self, cluster: Cluster, names: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._names = names
        self._chosen: set[str] = {cluster.find(name).run_id for name in names}
        self._logs: dict[str, _FollowedLog] = {}
        self._closed = threading.Event()

    def look(self) -> list[RunView]:
        """Return what there is to see, the newest run first.

        Raises:
            TransientError: The cluster does not answer.
            RequestError: The runs may not be listed.
        """
        states = self._cluster.states()
        if not self._names:
            self._chosen |= {state.run_id for state in states if not state.has_ended}
        return [self._view(state) for state in states if state.run_id in self._chosen]

    def close(self) -> None:
        """Follow no log any more."""
        self._closed.set()

    def _view(self, state: RunState) -> RunView:
        log = self._logs.setdefault(state.run_id, _FollowedLog())
        if state.pod is not None and state.pod not in log.pods and state.state not in {"queued", "waiting", "blocked"}:
            self._follow(log, state)
        log.has_ended, progress = state.has_ended, log.progress
        return RunView(
            run_id=state.run_id,
            algorithm=state.algorithm,
            mode=state.mode,
            state=state.state,
            has_ended=state.has_ended,
            message=state.message,
            where=(state.pod or "") + (f" on {state.node}" if state.node else ""),
            attempt=state.attempt,
            started=state.created,
            step=progress.step,
            steps=progress.steps,
            epochs=progress.epochs,
            rate=progress.rate,
            eta_seconds=None if state.has_ended else progress.eta(),
            points=thinned(progress.points, MOST_ROWS),
        )

    def _follow(self, log: _FollowedLog, state: RunState) -> None:
        """Read the logs of the pods of a run that were not read yet: those of earlier attempts, then the newest."""
        (backend,) = (each for each in CLUSTER_BACKENDS.values() if each.kind == state.kind)
        client = RunClient(self._cluster.connection, state.namespace, backend)
        newest = str(state.pod)
        earlier: list[str] = []
        if not log.pods:
            with suppress(Phase2Error):
                found = newest_first(filter(has_started, of_rank(client.pods(state.name), 0)))[::-1]
                earlier = [name for pod in found if (name := name_of(pod)) != newest]
        log.pods |= {*earlier, newest}
        log.newest = newest
        arguments = (client, log, earlier, newest)
        threading.Thread(target=self._read_all, args=arguments, daemon=True, name=f"log-{newest}").start()

    def _read_all(self, client: RunClient, log: _FollowedLog, earlier: Sequence[str], newest: str) -> None:
        progress = log.progress
        for pod in earlier:
            with suppress(Phase2Error):  # it was deleted
                for line in client.log(pod).splitlines():
                    progress.feed(line)
        reader = LogReader(client, newest)
        while not self._closed.is_set() and log.newest == newest:
            is_last = log.has_ended
            with suppress(Phase2Error):  # the container starts, or the connection broke: read on from the last line
                for line in reader.lines():
                    progress.feed(line)
                if is_last:
                    return
            self._closed.wait(_PAUSE)
