"""Two pods of one Workflow train one run: it ends as undisturbed, whichever of them is lost."""

import pytest
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.runs import epochs_of
from tests.on_cluster.support.workflows import LONGER, TINY, published

from phase2.cluster.manifests.workflow import CONTAINER, FIRST_STEP, OTHERS_STEP
from phase2.testing.same_result import assert_same_result

pytestmark = [pytest.mark.cluster, pytest.mark.argo, pytest.mark.slow, pytest.mark.timeout(1800)]

PAIR = {"nodes": "2"}


@pytest.fixture(scope="module")
def pair(workflows):
    return workflows.submit("phase2.yaml", **LONGER, **PAIR)


@pytest.fixture(scope="module")
def undisturbed(workflows, kept, pair, tmp_path_factory):
    """Results of a run of two pods that nothing disturbed."""
    workflows.succeed(pair)
    run = published(kept, pair)
    assert (run.manifest.hardware.processes, len(run.manifest.attempts)) == (2, 1)
    return run.pull(tmp_path_factory.mktemp("undisturbed"))


def test_its_steps_its_state_and_its_logs_are_those_of_one_run(workflows, runs, pair, undisturbed):
    steps = {node.step: node.phase for node in workflows.nodes(pair)}
    expected = ("validate", "prepare", FIRST_STEP, OTHERS_STEP, "report", "register", "finish")
    assert steps == dict.fromkeys(expected, "Succeeded")
    assert workflows.outputs(pair)["run-id"] == pair
    assert (runs.state(pair)["state"], runs.state(pair)["exit_code"]) == ("succeeded", 0)
    refused = runs.phase2("logs", pair, "--rank", "2")
    assert (refused.code, "has no pod of rank 2" in refused.errors) == (2, True)


@pytest.mark.parametrize("step", [FIRST_STEP, OTHERS_STEP])
def test_a_lost_pod_starts_both_again_and_changes_nothing(workflows, runs, kept, undisturbed, tmp_path, step):
    name = workflows.submit("phase2.yaml", **LONGER, **PAIR)

    def trains():
        pods = workflows.pods(name, FIRST_STEP)
        return pods and epochs_of(workflows.cluster.log(pods[-1], CONTAINER)) >= 3

    wait_until(trains, f"{name} to train", 400, lambda: workflows.describe(name))
    wait_until(lambda: any(name in one.key and one.key.endswith("/latest.json") for one in kept.list()),
               "a checkpoint in the bucket", 120)  # fmt: skip
    assert "runs as 2 pods on" in runs.state(name)["sentence"]
    assert "epoch" in runs.phase2("logs", name).out
    assert runs.phase2("logs", name, "--rank", "1").code == 0
    faults.kill(workflows.cluster, workflows.pods(name, step)[-1].metadata.name, container=CONTAINER)
    workflows.succeed(name)
    for each in (FIRST_STEP, OTHERS_STEP):
        assert len(workflows.nodes(name, each)) > 1, workflows.describe(name)
    run = published(kept, name)
    assert any(each.resumed_from for each in run.manifest.attempts)
    assert_same_result(run.pull(tmp_path), undisturbed)


def test_data_that_are_not_there_end_both_pods_at_once(workflows, runs):
    name = workflows.submit("phase2.yaml", **TINY, **PAIR, data="/work/cache/none.jsonl")
    assert workflows.wait(name) == "Failed"
    assert runs.state(name)["exit_code"] == 3
