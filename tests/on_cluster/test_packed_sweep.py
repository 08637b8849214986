"""One pod trains the runs of a sweep, several at once: each ends as alone, also where the pod is lost."""

import pytest
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.runs import EPOCHS, OFTEN, SMALL, TRAINING

from phase2.cluster.plan import CACHE_CLAIM
from phase2.testing.same_result import assert_same_result

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1200)]


def test_packed_runs_end_as_alone_although_their_pod_is_killed(host, runs, bucket, tmp_path):
    name, alone = runs.id("packed"), runs.id("packed-alone")
    options = [*TRAINING, "--epochs", str(EPOCHS), *OFTEN, *SMALL, "--cache", CACHE_CLAIM, "--store", runs.store]
    submitted = runs.phase2("sweep", *options, "--seed", "1,2", "--name", name, "--pack", "2")
    assert submitted.code == 0, submitted.errors
    assert runs.submit(alone, "--seed", "2").code == 0
    members = [f"{name}-0", f"{name}-1"]

    def are_saved():
        saved = [one.key for one in bucket.list() if one.key.endswith("/latest.json")]
        return all(any(member in key for key in saved) for member in members)

    wait_until(are_saved, "a checkpoint of both in the bucket", 400, lambda: runs.log_tail(name))
    (pod,) = runs.pods(name)
    faults.kill(host, pod.metadata.name)
    runs.wait_for_end(name, 600)
    assert len(runs.pods(name)) == 2
    assert (runs.state(name)["state"], runs.state(name)["mode"]) == ("succeeded", "sweep")
    assert f"{name}-1: " in runs.phase2("logs", name).out
    packed = [runs.published(member, bucket) for member in members]
    assert any(one.resumed_from for run in packed for one in run.manifest.attempts)
    assert [run.manifest.execution.packed for run in packed] == [2, 2]
    runs.wait_for_end(alone, 600)
    assert_same_result(packed[1].pull(tmp_path / "packed"), runs.published(alone, bucket).pull(tmp_path / "alone"))
    again = runs.phase2("sweep", *options, "--seed", "1,2", "--name", name, "--pack", "2")
    assert (again.code, "already succeeded" in again.out) == (0, True)
