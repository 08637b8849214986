"""Nodes are lost or cut off while runs train on them: no run is lost, and no two pods write one run."""

import json
import signal

import psutil
import pytest
from tests.on_cluster.lab import laboratory
from tests.on_cluster.lab.node.addresses import NODE
from tests.on_cluster.lab.pods import restricted_pod
from tests.on_cluster.lab.services.store import BUCKET, IN_CLUSTER
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.fault_runs import AT_EPOCH
from tests.on_cluster.support.runs import epochs_of

from phase2.testing.same_result import assert_same_result

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1800)]

TAINT = "phase2.dev/second-node"
"""Keeps the pods of other tests off the node that these tests break."""
PYTHON = "/opt/phase2/bin/python"
OURS = ("--level", "lite", "--cache", "none")
"""A level that no other test here uses, since the table of defaults is for all runs of a level."""
PAIR = ("--nodes", "2")
LOST_ANOTHER = 75


@pytest.fixture
def second(host, image):
    """The second node, which only pods that tolerate it use."""
    node = host.add_second_node()
    try:
        host.kubectl("taint", "node", node.name, f"{TAINT}=:NoSchedule", "--overwrite")
        laboratory.pull(host, image, node.name)
        yield node
    finally:
        host.remove_second_node(node)


@pytest.fixture
def prefer(host):
    """Let the runs of these tests start on a node, the first of them in a group, and be given up there quickly."""
    words = ("configmap", "phase2-runs", "--namespace", host.namespace)
    found = host.kubectl("get", *words, "--ignore-not-found", "--output=json").stdout
    before = json.loads(found).get("data", {}) if found else None

    def write(data):
        metadata = {"name": "phase2-runs", "namespace": host.namespace}
        one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        host.kubectl("apply", "--filename=-", stdin=json.dumps(one))

    yield lambda node: write({**(before or {}), "defaults": json.dumps({"cgcnn": {"lite": placement(node)}})})
    host.kubectl("delete", *words) if before is None else write(before)


def placement(node):
    """Return the fields of the table of defaults: no two pods of a run on one node, if there are several."""
    silent = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")
    name = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    preferred = {"weight": 100, "preference": {"matchExpressions": [name]}}
    return {
        "tolerations": [
            {"key": TAINT, "operator": "Exists", "effect": "NoSchedule"},
            *({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1} for key in silent),
        ],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"phase2.dev/group": "true"}},
                "matchLabelKeys": ["phase2.dev/run-id"],
            }
        ],
    }


@pytest.fixture(scope="module")
def undisturbed(runs, bucket, tmp_path_factory):
    """Return the results of a run that nothing disturbed, by the words of its submission."""
    made = {}

    def results(name, *words):
        if name not in made:
            run_id = runs.id(name)
            assert runs.submit(run_id, *OURS, *words).code == 0
            runs.wait_for_end(run_id, 900)
            made[name] = runs.published(run_id, bucket).pull(tmp_path_factory.mktemp(name))
        return made[name]

    return results


@pytest.fixture
def started(runs, bucket):
    """Submit a run, and return its id once it has trained some epochs and its checkpoint is in the bucket."""

    def submit(name, *words):
        run_id = runs.id(name)
        submitted = runs.submit(run_id, *OURS, *words)
        assert submitted.code == 0, submitted.errors
        runs.wait_for_epoch(run_id, AT_EPOCH, 600)
        wait_until(lambda: any(run_id in one.key and one.key.endswith("/latest.json") for one in bucket.list()),
                   "a checkpoint in the bucket", 240)  # fmt: skip
        return run_id

    return submit


@pytest.fixture
def assert_ends_as(runs, bucket, undisturbed, tmp_path):
    """Wait for the end of a run, and compare its files with those of one that nothing disturbed."""

    def check(run_id, name, *words):
        runs.wait_for_end(run_id, 900)
        assert_same_result(runs.published(run_id, bucket).pull(tmp_path), undisturbed(name, *words))

    return check


def on(runs, run_id, node):
    """Return the newest pod of a run on a node; None if there is none."""
    return next((pod for pod in runs.pods(run_id) if pod.spec.node_name == node), None)


def wait_until_given_up(runs, run_id, node):
    """Wait until the pod on a silent node is to be deleted; its state says what it waits for, and no pod is added."""
    before = {pod.metadata.name for pod in runs.pods(run_id)}
    state = runs.wait_for_state(run_id, "blocked", 300)
    assert f"was given up on {node}, which does not answer" in state["sentence"]
    assert f"kubectl delete node {node}" in state["sentence"]
    assert {pod.metadata.name for pod in runs.pods(run_id)} == before


def test_a_pod_of_the_second_node_reaches_the_store_and_a_pod_of_the_first(second, pods, image):
    pods.create(restricted_pod("listens", image, PYTHON, "-u", "-m", "http.server", "--bind", "0.0.0.0", "8000"))
    try:
        pods.wait("listens", lambda status: status.pod_ip and status.phase == "Running", "to run")
        script = f"""
import boto3, time, urllib.request
s3 = boto3.client("s3", endpoint_url="{IN_CLUSTER}", region_name="us-east-1")
print("{BUCKET}" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
for _ in range(100):
    try:
        print(urllib.request.urlopen("http://{pods.status("listens").pod_ip}:8000/", timeout=5).status)
        break
    except OSError:
        time.sleep(0.2)
"""
        pod = restricted_pod("reaches", image, PYTHON, "-c", script)
        pod["spec"]["nodeName"] = second.name
        ended = pods.run(pod)
        assert (ended.code, ended.log.splitlines()) == (0, ["True", "200"]), ended.log
        log = pods.logs("listens")
    finally:
        pods.delete("listens")
    assert "10.244.1." in log  # the address of the pod itself


def test_a_group_whose_writer_is_cut_off_goes_on_when_its_node_is_back(second, prefer, started, runs, assert_ends_as):
    prefer(second.name)
    run_id = started("cut-off", *PAIR)
    writer, other = on(runs, run_id, second.name), on(runs, run_id, NODE)
    assert writer.metadata.name.startswith(f"phase2-{run_id}-0-")
    second.pull_cable()
    wait_until_given_up(runs, run_id, second.name)
    wait_until(lambda: exit_code(runs, run_id, other) == LOST_ANOTHER, "the other pod to notice", 400, pause=1)
    second.plug_cable()
    assert_ends_as(run_id, "two-pods", *PAIR)


def test_a_group_whose_node_is_lost_for_good_goes_on_elsewhere(host, second, prefer, started, runs, assert_ends_as):
    prefer(NODE)
    run_id = started("lost", *PAIR)
    assert on(runs, run_id, second.name).metadata.name.startswith(f"phase2-{run_id}-1-")
    second.pull_cable()
    second.die()
    wait_until_given_up(runs, run_id, second.name)
    host.kubectl("delete", "node", second.name)
    assert_ends_as(run_id, "two-pods", *PAIR)


@pytest.mark.parametrize("back", ["while-the-next-trains", "after-the-end"])
def test_a_pod_that_was_given_up_and_still_trains_is_no_second_writer(
    host, second, prefer, started, runs, bucket, assert_ends_as, back
):
    """It is suspended for a while, so that it is behind, as a pod on a machine that is overloaded; then it goes on."""
    prefer(second.name)
    run_id = started(f"given-up-{back}")
    lost = on(runs, run_id, second.name)
    process = psutil.Process(faults.process_of(host, lost.metadata.name))
    with second.without_api_server():
        process.send_signal(signal.SIGSTOP)
        wait_until_given_up(runs, run_id, second.name)
        host.kubectl("delete", "node", second.name)
        next_pod = wait_until(lambda: on(runs, run_id, NODE), "another pod", 400, pause=1)
        if back == "while-the-next-trains":
            wait_until(lambda: epochs_of(host.log(next_pod)) > AT_EPOCH, "the next pod to train", 600, pause=0.3)
        else:
            runs.wait_for_end(run_id, 900)
        process.send_signal(signal.SIGCONT)
        process.wait(900)
        runs.wait_for_end(run_id, 900)
        assert_ends_as(run_id, "one-pod")
    log = host.log(lost)
    assert epochs_of(log) > AT_EPOCH, log
    assert "Traceback" not in log
    assert [one.key for one in bucket.list() if run_id in one.key and ".checkpoints/" in one.key] == []


def test_a_node_that_comes_late_is_waited_for_and_one_that_never_comes_is_named(
    host, second, prefer, runs, assert_ends_as
):
    prefer(NODE)
    host.kubectl("cordon", second.name)
    run_id, never = runs.id("late"), runs.id("never")
    assert runs.submit(run_id, *OURS, *PAIR).code == 0
    sentence = runs.wait_for_state(run_id, "blocked", 300)["sentence"]
    assert "1 of 2 pods run; pod 1 cannot be scheduled on any node" in sentence
    assert "unschedulable" in sentence
    assert runs.submit(never, *OURS, *PAIR, "--deadline", "30s").code == 0
    sentence = runs.wait_for_state(never, "failed", 300)["sentence"]
    assert f"its deadline of 30 s is over; its pod phase2-{never}-1-" in sentence
    assert "was not scheduled on any node: 0/2 nodes are available" in sentence
    host.kubectl("uncordon", second.name)
    assert_ends_as(run_id, "two-pods", *PAIR)


def exit_code(runs, run_id, pod):
    """Return the exit code of a pod; None if it has not ended."""
    (found,) = [one for one in runs.pods(run_id) if one.metadata.uid == pod.metadata.uid]
    ended = found.status.container_statuses[0].state.terminated
    return ended and ended.exit_code
