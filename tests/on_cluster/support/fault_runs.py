"""Runs that meet their fault while other tests go on: nothing but their own pods is touched."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.cluster_base import ReachedCluster
from tests.on_cluster.lab.minio import Minio
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.runs import EPOCHS, Runs, Said, epochs_of

from phase2.storage.s3.store import S3Store

AT_EPOCH = 3
"""Epochs that a run has trained when something happens to it."""
CHANCES = 3
"""Runs that may be over before their fault reaches them, on a machine with much to do: that one showed nothing."""

POD_FAULTS = {
    "deleted": ("pod deleted while training", faults.delete),
    "evicted": ("pod evicted through the API", faults.evict),
    "out-of-memory": ("process killed for its container's memory", faults.run_out_of_memory),
    "killed": ("SIGKILL of the process in the pod", faults.kill),
}
TWINS = "twins"
UNREACHABLE = "unreachable"
OUTAGE = 60
"""Seconds without a bucket: longer than the rest of the training, so that the end of the run meets them as well."""
ON_THE_HOST = {"killed"}
"""Faults that take the node's own processes."""


@dataclass(frozen=True)
class DisturbedRuns:
    """Submits runs, disturbs them, and waits until they are over."""

    cluster: ReachedCluster
    runs: Runs
    bucket: S3Store

    def begin(self, pool: Executor) -> dict[str, Future[str]]:
        """Let a pool do it; gives the ids of the runs, by fault."""
        begun: dict[str, Future[str]] = {}
        if isinstance(self.cluster, Cluster):
            begun[UNREACHABLE] = pool.submit(self._cut_off, self.cluster)
        possible = [name for name in POD_FAULTS if name not in ON_THE_HOST or isinstance(self.cluster, Cluster)]
        begun |= {name: pool.submit(self._disturb, name) for name in possible}
        return begun | {TWINS: pool.submit(self._double)}

    def _disturb(self, name: str) -> str:
        for chance in range(CHANCES):
            run_id = submitted(self.runs, f"{name}-{chance}")
            if self._is_met(run_id, POD_FAULTS[name][1]):
                return run_id
        raise AssertionError(f"{CHANCES} runs ended before their fault: {name}.")

    def _is_met(self, run_id: str, fault: Callable[[ReachedCluster, str], None]) -> bool:
        pod = self.runs.wait_for_epoch(run_id, AT_EPOCH)
        # A process that is killed at once cannot save: what it goes on from must have been kept before.
        wait_until(lambda: self._has_checkpoint(run_id), "a checkpoint in the bucket", 240)
        fault(self.cluster, pod)
        self.runs.wait_for_end(run_id)
        return len(self.runs.published(run_id, self.bucket).manifest.attempts) > 1

    def _has_checkpoint(self, run_id: str) -> bool:
        return any(run_id in each.key and each.key.endswith("/latest.json") for each in self.bucket.list())

    def _double(self) -> str:
        """Start a second Job for a run that trains."""
        run_id = submitted(self.runs, TWINS)
        self.runs.wait_for_epoch(run_id, AT_EPOCH)
        (job,) = self.runs.jobs(run_id)
        faults.second_job(self.cluster, job)
        wait_until(lambda: self.runs.has_ended(run_id), "both to end", 240, pause=0.3)
        return run_id

    def _cut_off(self, cluster: Cluster) -> str:
        """Let a run's pod not reach the bucket before its training has ended."""
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
    """What was said while a run was cancelled and submitted again."""

    run_id: str
    cancelled: Said
    followed: Said
    state: str
    resumed: Said


def cancel_and_resume(runs: Runs) -> Resumed:
    """Cancel a run while it trains, follow it to its end, and submit it again."""
    run_id = submitted(runs, "cancelled", "--epochs", "30")
    runs.wait_for_epoch(run_id, AT_EPOCH)
    cancelled = runs.phase2("cancel", run_id, "--yes")
    followed = runs.phase2("logs", run_id, "--follow")
    state = runs.state(run_id)["state"]
    return Resumed(run_id, cancelled, followed, state, runs.phase2("submit", "--resume", run_id, "--watch"))


def submitted(runs: Runs, name: str, *words: str) -> str:
    """Submit the run of a name; returns its id."""
    run_id = runs.id(name)
    said = runs.submit(run_id, *words)
    assert said.code == 0, said.errors
    return run_id
