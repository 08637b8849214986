"""Runs of phase2 on the cluster, through the command line as a user works."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.services.store import BUCKET, ClusterStore
from tests.on_cluster.lab.waiting import T, wait_until

from phase2.cluster.plan import CACHE_CLAIM
from phase2.runs.catalog.index import list_runs
from phase2.runs.live.log_progress import LogProgress
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.s3.store import S3Store

TRAINING = ["--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "200", "--batch-size", "8"]
OFTEN = ["--checkpoint-minutes", "0.003"]
"""Several checkpoints in an epoch, so that faults often coincide with one; one at each step would double the time."""
EPOCHS = 20
SMALL = ["--cpu", "100m", "--memory", "2Gi"]
"""Small requests, so that the pods of many tests fit on a small node at once; the training has one thread."""


@dataclass(frozen=True)
class CommandResult:
    """Exit code and output of a command of phase2 on this host."""

    code: int
    out: str
    errors: str


@dataclass(frozen=True)
class ReferenceRun:
    """Run without a fault: its id, and the results of submitting it and of watching it to its end."""

    run_id: str
    submitted: CommandResult
    watched: Future[CommandResult]


class Runs:
    """Runs of one test session, under a prefix of their own in the bucket.

    Their ids end in the id of the session, since Jobs of earlier sessions may exist and a run is submitted only once.
    """

    def __init__(self, cluster: ClusterBase, image: str, cluster_store: ClusterStore) -> None:
        self.cluster = cluster
        self.image = image
        self._cluster_store = cluster_store
        self._session = uuid.uuid4().hex[:6]
        self.prefix = f"session-{self._session}"
        self.store = f"s3://{BUCKET}/{self.prefix}"

    def id(self, name: str) -> str:
        """Return the id of a run of this session."""
        return f"{name}-{self._session}"

    def clear(self) -> None:
        """Delete the Jobs of this session, with their pods."""
        for job in self.cluster.batch.list_namespaced_job(self.cluster.namespace).items:
            if self._session in job.metadata.name:
                self._delete(job)

    def remove(self, run_id: str) -> None:
        """Delete the Jobs of a run, with their pods, which would take cores from later tests."""
        for job in self.jobs(run_id):
            self._delete(job)

    def phase2(self, *words: str) -> CommandResult:
        """Run a command of phase2 on this host as a user who has the keys of the store."""
        mine = {"KUBECONFIG": self.cluster.kubeconfig, "PHASE2_IMAGE": self.image, "PHASE2_STORE": self.store}
        environment = os.environ | self._cluster_store.server.environment | mine
        command = [sys.executable, "-m", "phase2", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def submit(self, run_id: str, *words: str) -> CommandResult:
        """Submit the training into which the faults are injected."""
        options = [*TRAINING, "--epochs", str(EPOCHS), *OFTEN, *SMALL, "--cache", CACHE_CLAIM, "--store", self.store]
        return self.phase2("submit", "--backend", "job", "--run-id", run_id, *options, *words)

    def state(self, run_id: str) -> dict:
        """Return the output of `phase2 status --json` for a run."""
        result = self.phase2("status", run_id, "--json")
        assert result.code == 0, result.errors
        return json.loads(result.out)

    def jobs(self, run_id: str) -> list:
        return self.cluster.batch.list_namespaced_job(
            self.cluster.namespace, label_selector=f"phase2.dev/run-id={run_id}"
        ).items

    def pods(self, run_id: str) -> list:
        """Return the pods of a run, newest first."""
        found = self.cluster.core.list_namespaced_pod(
            self.cluster.namespace, label_selector=f"phase2.dev/run-id={run_id}"
        ).items
        return sorted(found, key=lambda pod: pod.metadata.creation_timestamp, reverse=True)

    def wait_for_epoch(self, run_id: str, epoch: int, seconds: float = 240) -> str:
        """Wait until a pod of a run has trained a number of epochs in total; it may have trained more by then.

        Returns:
            The name of the pod.
        """
        return str(
            self._wait(lambda: self._pod_at(run_id, epoch), f"{run_id} to train {epoch} epochs", seconds, run_id)
        )

    def wait_for_end(self, run_id: str, seconds: float = 300) -> None:
        """Wait until a Job of a run is complete; a failed one is an error."""
        self._wait(lambda: self._complete(run_id), f"{run_id} to be complete", seconds, run_id)

    def wait_for_state(self, run_id: str, state: str, seconds: float = 180) -> dict:
        """Wait until a run is in a state; returns its state as `phase2 status --json`."""

        def reached():
            result = self.state(run_id)
            return result if result["state"] == state else None

        # Each poll starts a process.
        return wait_until(reached, f"{run_id} to be {state}", seconds, lambda: self.log_tail(run_id), pause=1)

    def seconds_to_first_epoch(self, run_id: str) -> float:
        """Time from the start of a run's first container to the end of its first epoch."""
        pod = self.pods(run_id)[-1]
        log = self.cluster.core.read_namespaced_pod_log(pod.metadata.name, pod.metadata.namespace, timestamps=True)
        printed_at = next(
            stamp for stamp, _, line in (each.partition(" ") for each in log.splitlines()) if epochs_of(line) == 1
        )
        began = pod.status.container_statuses[0].state.terminated.started_at
        return (datetime.fromisoformat(printed_at) - began).total_seconds()

    def has_ended(self, run_id: str) -> bool:
        """Whether all Jobs of a run are complete."""
        return all(job.status.completion_time for job in self.jobs(run_id))

    def published(self, run_id: str, store: S3Store) -> PublishedRun:
        """Return the run in the bucket, after verifying that there is exactly one and that its objects are intact."""
        found = [run for run in list_runs(store, rebuild=True) if run.run_id == run_id]
        assert [run.status for run in found] == ["finished"], found
        return whole_run(store, found[0].prefix)

    def _delete(self, job) -> None:
        self.cluster.batch.delete_namespaced_job(
            job.metadata.name, self.cluster.namespace, propagation_policy="Background"
        )

    def _pod_at(self, run_id: str, epoch: int) -> str | None:
        for pod in self.pods(run_id):
            if pod.status.phase in {"Running", "Succeeded"} and epochs_of(self.cluster.log(pod)) >= epoch:
                return pod.metadata.name
        return None

    def _complete(self, run_id: str) -> bool:
        conditions = [each for job in self.jobs(run_id) for each in job.status.conditions or []]
        failed = [each for each in conditions if each.type == "Failed" and each.status == "True"]
        assert not failed, f"{failed}\n{self.phase2('status', run_id).out}\n{self.log_tail(run_id)}"
        return any(each.type == "Complete" and each.status == "True" for each in conditions)

    def _wait(self, condition: Callable[[], T], what: str, seconds: float, run_id: str) -> T:
        # Polling takes cores from the runs.
        return wait_until(condition, what, seconds, lambda: self.log_tail(run_id), pause=0.3)

    def log_tail(self, run_id: str) -> str:
        return "\n".join(
            f"{pod.metadata.name} {pod.status.phase}: {self.cluster.log(pod)[-1500:]}" for pod in self.pods(run_id)
        )


def whole_run(store: S3Store, prefix: str) -> PublishedRun:
    """Return a run of the bucket, after verifying that its objects are intact."""
    run = PublishedRun.open(store, prefix)
    checked = run.verify()
    assert not checked.missing, checked
    assert not checked.damaged, checked
    return run


def epochs_of(log: str) -> int:
    """Return the last epoch in the log of a pod; 0 before the first."""
    progress = LogProgress()
    for line in log.splitlines():
        progress.feed(line)
    return progress.epoch
