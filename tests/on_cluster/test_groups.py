"""Two pods train one run: it ends as undisturbed, whichever of them is lost, and says what it waits for."""

import pytest
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.fault_runs import AT_EPOCH

from phase2.testing.same_result import assert_same_result

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1800)]

PAIR = ("--nodes", "2")
_INDEX = "batch.kubernetes.io/job-completion-index"


@pytest.fixture(scope="module")
def undisturbed(runs, bucket, tmp_path_factory):
    """Results of a run of two pods that nothing disturbed."""
    run_id = runs.id("pair")
    submitted = runs.submit(run_id, *PAIR)
    assert submitted.code == 0, submitted.errors
    runs.wait_for_end(run_id, 900)
    run = runs.published(run_id, bucket)
    assert (run.manifest.hardware.processes, len(run.manifest.attempts)) == (2, 1)
    return run.pull(tmp_path_factory.mktemp("undisturbed"))


def pod_of(runs, run_id, rank):
    """Return the name of the newest pod of a rank."""
    return next(p.metadata.name for p in runs.pods(run_id) if p.metadata.annotations[_INDEX] == str(rank))


def test_the_logs_and_the_state_are_those_of_the_first_pod(runs, undisturbed):
    run_id = runs.id("pair")
    state = runs.state(run_id)
    assert (state["state"], state["attempt"], state["pod"]) == ("succeeded", 1, pod_of(runs, run_id, 0))
    assert "epoch" in runs.phase2("logs", run_id).out
    other = runs.phase2("logs", run_id, "--rank", "1")
    if other.code:  # it had not ended by itself when Kubernetes ended it
        assert (other.code, f"rank 1 of the run '{run_id}' is gone" in other.errors) == (2, True)
    else:
        assert "stays until the run is closed" in other.out
    refused = runs.phase2("logs", run_id, "--rank", "2")
    assert (refused.code, "has no pod of rank 2" in refused.errors) == (2, True)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("fault", ["kill", "evict"])
def test_a_lost_pod_starts_both_again_and_changes_nothing(host, runs, bucket, undisturbed, tmp_path, rank, fault):
    run_id = runs.id(f"pair-{fault}-{rank}")
    assert runs.submit(run_id, *PAIR).code == 0
    runs.wait_for_epoch(run_id, AT_EPOCH, 600)
    wait_until(lambda: any(run_id in one.key and one.key.endswith("/latest.json") for one in bucket.list()),
               "a checkpoint in the bucket", 240)  # fmt: skip
    getattr(faults, fault)(host, pod_of(runs, run_id, rank))
    runs.wait_for_end(run_id, 900)
    run = runs.published(run_id, bucket)
    assert len(run.manifest.attempts) > 1
    assert any(each.resumed_from for each in run.manifest.attempts)
    assert_same_result(run.pull(tmp_path), undisturbed)


def test_a_pod_that_no_node_takes_is_named(runs):
    run_id = runs.id("pair-without-a-node")
    assert runs.submit(run_id, *PAIR, "--cpu", "1000", "--memory", "64Gi").code == 0
    state = runs.wait_for_state(run_id, "blocked")
    assert "pod 0 cannot be scheduled on any node" in state["sentence"]
    assert runs.phase2("cancel", run_id, "--yes").code == 0
    runs.wait_for_state(run_id, "cancelled")


def test_bad_input_ends_all_pods_at_once_with_its_exit_code(runs):
    run_id = runs.id("pair-without-data")
    assert runs.submit(run_id, *PAIR, "--data", "/work/cache/none.jsonl").code == 0
    state = runs.wait_for_state(run_id, "failed", 400)
    assert (state["exit_code"], state["attempt"]) == (3, 1)
