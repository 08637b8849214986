"""Harness for the contract of backends with real Jobs that train."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager

from tests.cluster.support.backend_contract import BackendContract, BackendHarness
from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.support.runs import SMALL, Runs

_RUNS = ("once", "taken", "again", "stopped")


class RealJobHarness(BackendHarness):
    """Harness of real Jobs, submitted by the administrator of a cluster."""

    backend = ("--backend", "job")

    def __init__(self, runs: Runs) -> None:
        def cli(*words: str) -> tuple[int, str, str]:
            result = runs.phase2(*words)
            return result.code, result.out, result.errors

        super().__init__(cli)
        self.runs = runs

    def submit(self, run_id, *words):
        """Submit a run that is long enough for a fault."""
        return super().submit(run_id, "--epochs", "300", *SMALL, "--store", self.runs.store, *words)

    def begin(self, run_id):
        code, _, err = self.submit(run_id)
        assert code == 0, err
        self.runs.wait_for_epoch(run_id, 1)

    def finish(self, run_id):
        self.runs.wait_for_end(run_id)

    def fail(self, run_id):
        """Let the deadline of the Job expire."""
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


ContractTest = Callable[[BackendContract, BackendHarness], None]
CONTRACT_TESTS: tuple[ContractTest, ...] = (
    BackendContract.test_a_failed_run_is_started_again_and_resumes,
    BackendContract.test_a_cancelled_run_resumes_with_its_own_options,
    BackendContract.test_a_succeeded_run_is_not_started_again,
    BackendContract.test_another_request_with_the_same_id_is_refused,
)
"""The contract tests whose runs train."""


@contextmanager
def running_contract_tests(runs: Runs, pool: Executor) -> Iterator[dict[ContractTest, Future[None]]]:
    """Run the contract tests whose runs train in an executor; their Jobs are deleted before and after."""
    _remove_jobs(runs.cluster)
    yield {test: pool.submit(test, BackendContract(), RealJobHarness(runs)) for test in CONTRACT_TESTS}
    _remove_jobs(runs.cluster)


def _remove_jobs(cluster: ClusterBase) -> None:
    """Delete the Jobs of the contract, whose names are the same in every session."""
    names = [f"phase2-{name}" for name in _RUNS]
    cluster.kubectl("delete", "jobs", "-n", cluster.namespace, "--ignore-not-found", *names)
