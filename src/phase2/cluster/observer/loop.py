"""The observer: looks at the runs of a namespace again and again, and says what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from phase2.cluster.api.errors import ForbiddenError, ObjectConflictError, ObjectGoneError
from phase2.cluster.namespace import Cluster, SubmittedRun
from phase2.cluster.nightly import CRON_LABEL, NIGHTLY, last_success
from phase2.cluster.observer.events import event_of
from phase2.cluster.observer.metrics import RunMetrics
from phase2.cluster.observer.observation import Changes, Observation
from phase2.cluster.observer.store import StoreProbe
from phase2.cluster.run_state import RunState
from phase2.errors import TransientError

TextCallback = Callable[[str], None]
_LONGEST_PAUSE = 120.0
_PATIENCE_SECONDS = 300.0


class Observer:
    """Observer of one namespace.

    Every look lists all objects anew, so that nothing depends on a connection that lasts: a lost one, and an API server
    that restarts, delay a look and lose nothing.

    Args:
        cluster: The namespace.
        metrics: What the looks are shown in.
        on_line: Callback receiving what was recorded, and trouble.
        period: Time between two looks, seconds.
        store: The store to ask; None asks none.
    """

    def __init__(
        self,
        cluster: Cluster,
        metrics: RunMetrics,
        on_line: TextCallback,
        *,
        period: float = 15.0,
        store: StoreProbe | None = None,
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._on_line = on_line
        self._period = period
        self._store = store
        self._changes = Changes()
        self._may_read_nightly = True

    def run(self) -> None:
        """Look until the process is stopped.

        Raises:
            RequestError: The runs may not be read, or no event may be recorded.
            TransientError: The cluster did not answer from the start, for minutes.
        """
        began, worked, failures = time.monotonic(), False, 0
        while True:
            try:
                self.look()
                worked, failures = True, 0
            except TransientError as error:
                self._metrics.down()
                failures += 1
                self._on_line(f"the cluster does not answer: {error.why or error.what}")
                if not worked and time.monotonic() - began > _PATIENCE_SECONDS:
                    raise
            time.sleep(min(_LONGEST_PAUSE, self._period * 2 ** min(failures, 5)))

    def look(self) -> None:
        """Look once: record an event for each state that is new, and renew the metrics."""
        now = datetime.now(UTC)
        runs = self._cluster.runs()
        by_name = {(run.backend.kind, run.name): run for run in runs}
        states = self._cluster.states()
        seen = [
            _observed(found, state)
            for state in states
            if (found := by_name.get((state.kind, state.name))) is not None  # made since the first list
        ]
        news = self._changes.update(seen, now)
        for one in news.changed:
            self._record(one, now)
        reachable = self._store_answers()
        self._metrics.update(seen, news.ended, nightly=self._last_nightly(runs), store=reachable)

    def _store_answers(self) -> bool | None:
        """Whether the store answers; None if it is not asked."""
        if self._store is None:
            return None
        answered = self._store.error is None
        answers = self._store.answers()
        if answers != answered:
            error = self._store.error
            self._on_line("the store answers again" if error is None else f"the store does not answer: {error}")
        return answers

    def _record(self, seen: Observation, now: datetime) -> None:
        event = event_of(seen, namespace=self._cluster.namespace, now=now)
        path = f"/api/v1/namespaces/{self._cluster.namespace}/events"
        try:
            self._cluster.connection.request("POST", path, action="record an event", body=event)
        except ObjectConflictError:
            return  # an earlier process recorded it
        self._on_line(f"{event['reason']}: {event['message']}")

    def _last_nightly(self, runs: list[SubmittedRun]) -> datetime | None:
        objects = [
            run.object for run in runs if (run.object["metadata"].get("labels") or {}).get(CRON_LABEL) == NIGHTLY
        ]
        return last_success(self._nightly_job(), objects)

    def _nightly_job(self) -> dict[str, object] | None:
        path = f"/apis/batch/v1/namespaces/{self._cluster.namespace}/cronjobs/{NIGHTLY}"
        if not self._may_read_nightly:
            return None
        with suppress(ObjectGoneError):
            try:
                return self._cluster.connection.request("GET", path, action=f"read the CronJob {NIGHTLY}")
            except ForbiddenError as error:
                self._may_read_nightly = False
                self._on_line(f"no metric of the nightly run: {error.why}")
        return None


def _observed(run: SubmittedRun, state: RunState) -> Observation:
    api_version = run.backend.group.removeprefix("/apis/")
    return Observation(str(run.object["metadata"]["uid"]), api_version, state)
