"""Metrics of the runs of a namespace, for Prometheus."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from phase2.cluster.observer.observation import Observation
from phase2.cluster.run_state import ENDED

_RUN = ("namespace", "run", "algorithm", "mode")


class RunMetrics(Collector):
    """What the last look found; safe to be read from the threads of a server.

    Args:
        namespace: Namespace of the runs.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._lock = threading.Lock()
        self._seen: tuple[Observation, ...] = ()
        self._ended: Counter[tuple[str, str, str]] = Counter()
        self._is_up = False
        self._nightly: datetime | None = None
        self._is_store_reachable: bool | None = None

    def update(
        self, seen: Sequence[Observation], ended: Sequence[Observation], *, nightly: datetime | None, store: bool | None
    ) -> None:
        """Replace what is shown.

        Args:
            seen: All runs.
            ended: Runs that have ended since the last look.
            nightly: When the nightly run succeeded last; None if it is not known.
            store: Whether the store answers; None if it is not asked.
        """
        with self._lock:
            self._seen, self._is_up, self._is_store_reachable = tuple(seen), True, store
            self._nightly = nightly or self._nightly
            self._ended.update((one.state.algorithm, one.state.mode, one.state.state) for one in ended)

    def down(self) -> None:
        """Show that the cluster does not answer; the runs stay as they were."""
        with self._lock:
            self._is_up = False

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        with self._lock:
            yield from self._runs()
            yield self._ends()
            yield from self._singles()

    def _runs(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("phase2_run_state", "1 for the state that a run is in.", labels=[*_RUN, "state"])
        infos = GaugeMetricFamily("phase2_run_info", "Object of a run.", labels=[*_RUN, "kind", "name"])
        attempts = GaugeMetricFamily("phase2_run_attempts", "Attempts of a run so far.", labels=_RUN)
        for one in self._unique():
            state = one.state
            labels = [self._namespace, state.run_id, state.algorithm, state.mode]
            states.add_metric([*labels, state.state], 1)
            infos.add_metric([*labels, state.kind, state.name], 1)
            attempts.add_metric(labels, state.attempt)
        yield from (states, infos, attempts)

    def _unique(self) -> list[Observation]:
        """Return the newest object of each run: Prometheus refuses a series that is there twice."""
        ordered = sorted(self._seen, key=lambda one: one.state.created)
        return list({(one.state.run_id, one.state.algorithm, one.state.mode): one for one in ordered}.values())

    def _ends(self) -> Metric:
        labels = ["namespace", "algorithm", "mode", "outcome"]
        ends = CounterMetricFamily("phase2_run_ended", "Runs that ended while they were observed.", labels=labels)
        kinds = {(one.state.algorithm, one.state.mode) for one in self._seen} | {key[:2] for key in self._ended}
        for algorithm, mode in sorted(kinds):
            for outcome in ENDED:  # from 0 on, so that a first end is an increase
                count = self._ended[algorithm, mode, outcome]
                ends.add_metric([self._namespace, algorithm, mode, outcome], count)
        return ends

    def _singles(self) -> Iterator[Metric]:
        values: tuple[tuple[str, str, float | None], ...] = (
            ("phase2_observer_up", "Whether the cluster answered at the last look.", float(self._is_up)),
            (
                "phase2_nightly_last_success_timestamp_seconds",
                "When the nightly run succeeded last.",
                None if self._nightly is None else self._nightly.timestamp(),
            ),
            (
                "phase2_store_reachable",
                "Whether the store of the runs answers.",
                None if self._is_store_reachable is None else float(self._is_store_reachable),
            ),
        )
        for name, text, value in values:
            if value is not None:
                gauge = GaugeMetricFamily(name, text, labels=["namespace"])
                gauge.add_metric([self._namespace], value)
                yield gauge
