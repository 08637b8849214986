"""Runs with a fault, in the background of other tests: each fault affects only the pods of its own run."""

import time
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.services.minio import Minio
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.runs import EPOCHS, CommandResult, Runs, epochs_of

from phase2.storage.s3.store import S3Store

AT_EPOCH = 3
"""Epochs that a run has trained when its fault is injected."""
ATTEMPTS = 3
"""Number of runs that are tried for a fault: on a busy machine a run may end before its fault is injected."""

POD_FAULTS: dict[str, tuple[str, Callable[[Any, str], None]]] = {
    "deleted": ("pod deleted while training", faults.delete),
    "evicted": ("pod evicted through the API", faults.evict),
    "out-of-memory": ("process killed for its container's memory", faults.run_out_of_memory),
    "killed": ("SIGKILL of the process in the pod", faults.kill),
}
TWINS = "twins"
UNREACHABLE = "unreachable"
OUTAGE = 60
"""Seconds without a bucket: longer than the rest of the training, so that the end of the run is affected as well."""
OUT_OF_MEMORY = "out-of-memory"
ON_THE_HOST = {"killed"}
"""Faults that need access to the processes of the node."""
QUICK = {"killed", "evicted"}
"""Faults that continuous integration injects."""


@dataclass(frozen=True)
class FaultRuns:
    """Runs with a fault: submitted, broken, and awaited to their end."""

    cluster: ClusterBase
    runs: Runs
    bucket: S3Store

    def start(self, pool: Executor, needed: Collection[str]) -> dict[str, Future[str]]:
        """Start the runs of the faults that are needed in an executor; returns their ids by fault."""
        started: dict[str, Future[str]] = {}
        if UNREACHABLE in needed and isinstance(self.cluster, Cluster):
            started[UNREACHABLE] = pool.submit(self._cut_off, self.cluster)
        for name in POD_FAULTS:
            if name in needed and (name not in ON_THE_HOST or isinstance(self.cluster, Cluster)):
                started[name] = pool.submit(self._inject, name)
        if TWINS in needed:
            started[TWINS] = pool.submit(self._start_second)
        return started

    def _inject(self, name: str) -> str:
        for attempt in range(ATTEMPTS):
            run_id = submitted(self.runs, f"{name}-{attempt}")
            if self._inject_into(run_id, POD_FAULTS[name][1]):
                return run_id
        raise AssertionError(f"{ATTEMPTS} runs ended before their fault: {name}.")

    def _inject_into(self, run_id: str, fault: Callable[[Any, str], None]) -> bool:
        pod = self.runs.wait_for_epoch(run_id, AT_EPOCH)
        # A killed process cannot save: the checkpoint that it resumes from must have been uploaded before.
        wait_until(lambda: self._has_checkpoint(run_id), "a checkpoint in the bucket", 240)
        fault(self.cluster, pod)
        self.runs.wait_for_end(run_id)
        return len(self.runs.published(run_id, self.bucket).manifest.attempts) > 1

    def _has_checkpoint(self, run_id: str) -> bool:
        return any(run_id in each.key and each.key.endswith("/latest.json") for each in self.bucket.list())

    def _start_second(self) -> str:
        """Start a second Job for a run that trains."""
        run_id = submitted(self.runs, TWINS)
        self.runs.wait_for_epoch(run_id, AT_EPOCH)
        (job,) = self.runs.jobs(run_id)
        faults.second_job(self.cluster, job)
        wait_until(lambda: self.runs.has_ended(run_id), "both to end", 240, pause=0.3)
        return run_id

    def _cut_off(self, cluster: Cluster) -> str:
        """Block the bucket for a run's pod until its training has ended."""
        run_id = submitted(self.runs, UNREACHABLE)
        self.runs.wait_for_epoch(run_id, AT_EPOCH)
        (pod,) = self.runs.pods(run_id)
        with Minio(cluster).blocked(pod.status.pod_ip):
            blocked = time.monotonic()
            wait_until(lambda: epochs_of(cluster.log(pod)) >= EPOCHS, "the training to end", 240, pause=0.3)
            time.sleep(max(0.0, blocked + OUTAGE - time.monotonic()))
            assert not self.runs.has_ended(run_id)
        return run_id


@dataclass(frozen=True)
class Resumed:
    """Results of cancelling, following and resuming a run."""

    run_id: str
    cancelled: CommandResult
    followed: CommandResult
    state: str
    resumed: CommandResult


def cancel_and_resume(runs: Runs) -> Resumed:
    """Cancel a run while it trains, follow it to its end, and resume it."""
    run_id = submitted(runs, "cancelled", "--epochs", "30")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    cancelled = runs.phase2("cancel", run_id, "--yes")
    followed = runs.phase2("logs", run_id, "--follow")
    state = runs.state(run_id)["state"]
    return Resumed(run_id, cancelled, followed, state, runs.phase2("submit", "--resume", run_id, "--watch"))


def submitted(runs: Runs, name: str, *words: str) -> str:
    """Submit a run by name; returns its id."""
    run_id = runs.id(name)
    result = runs.submit(run_id, *words)
    assert result.code == 0, result.errors
    return run_id
