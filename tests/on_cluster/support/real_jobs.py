"""The namespace of runs, where Jobs train, as a place for the contract of backends."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager

from tests.cluster.support.backend_contract import BackendContract, BackendHarness
from tests.on_cluster.lab.cluster_base import ReachedCluster
from tests.on_cluster.support.runs import SMALL, Runs

_RUNS = ("once", "taken", "again", "stopped")


class RealJobs(BackendHarness):
    """Jobs of the administrator of a cluster."""

    backend = ("--backend", "job")

    def __init__(self, runs: Runs) -> None:
        def say(*words: str) -> tuple[int, str, str]:
            said = runs.phase2(*words)
            return said.code, said.out, said.errors

        super().__init__(say)
        self.runs = runs

    def submit(self, run_id, *words):
        """Long enough to be disturbed."""
        return super().submit(run_id, "--epochs", "300", *SMALL, "--store", self.runs.store, *words)

    def begin(self, run_id):
        code, _, err = self.submit(run_id)
        assert code == 0, err
        self.runs.wait_for_epoch(run_id, 1)

    def finish(self, run_id):
        self.runs.wait_for_end(run_id)

    def fail(self, run_id):
        """As a Job does whose time is over."""
        (job,) = self.runs.jobs(run_id)
        over = {"spec": {"activeDeadlineSeconds": 1}}
        self.runs.cluster.batch.patch_namespaced_job(job.metadata.name, job.metadata.namespace, over)
        self.runs.wait_for_state(run_id, "failed")

    def cancel(self, run_id):
        assert self.runs.phase2("cancel", run_id, "--yes").code == 0
        self.runs.wait_for_state(run_id, "cancelled")

    def state(self, run_id):
        return self.runs.state(run_id)["state"]

    def count(self, run_id):
        return len(self.runs.jobs(run_id))


Law = Callable[[BackendContract, BackendHarness], None]
LAWS: tuple[Law, ...] = (
    BackendContract.test_a_run_that_failed_is_begun_again_and_goes_on,
    BackendContract.test_a_run_that_was_stopped_goes_on_with_its_own_words,
    BackendContract.test_a_run_that_has_succeeded_is_not_begun_again,
    BackendContract.test_another_request_under_the_same_id_is_refused,
)
"""The laws whose runs train."""


@contextmanager
def trying_laws(runs: Runs, pool: Executor) -> Iterator[dict[Law, Future[None]]]:
    """Let a pool try the laws whose runs train; their Jobs are removed before and after."""
    _remove_jobs(runs.cluster)
    yield {law: pool.submit(law, BackendContract(), RealJobs(runs)) for law in LAWS}
    _remove_jobs(runs.cluster)


def _remove_jobs(cluster: ReachedCluster) -> None:
    """Their names are the same in every session."""
    names = [f"phase2-{name}" for name in _RUNS]
    cluster.kubectl("delete", "jobs", "-n", cluster.namespace, "--ignore-not-found", *names)
