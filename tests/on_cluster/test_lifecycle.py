"""Starting the cluster is idempotent, and nothing is left of it however it ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.on_cluster.lab import laboratory
from tests.on_cluster.lab.node import leftovers

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]

UP = """
from tests.on_cluster.lab import laboratory
from tests.on_cluster.lab.cluster import Cluster
laboratory.up(Cluster())
"""


def test_starting_the_cluster_is_idempotent(host):
    before = {each.pid for each in host.processes.find("apiserver")}
    laboratory.up(host)
    assert before == {each.pid for each in host.processes.find("apiserver")}


def test_the_remains_of_a_killed_harness_are_cleared(host, own_cluster):
    host.down()
    assert leftovers.found(host.folders) == []
    host.down()
    assert leftovers.found(host.folders) == []
    with subprocess.Popen([sys.executable, "-c", UP], cwd=Path(__file__).parents[2]) as harness:
        host.wait(lambda: host.core.list_namespaced_pod("minio").items, "a pod to be created", "apiserver")
        harness.send_signal(signal.SIGKILL)
    assert {word.split()[0] for word in leftovers.found(host.folders)} >= {"process", "bridge", "folder", "rules"}
    host.down()
    assert leftovers.found(host.folders) == []
    host.start()
    assert host.node_ready()


def test_nothing_is_left_of_a_second_node_that_nobody_removed(host, own_cluster):
    host.add_second_node()
    kinds = [word.split()[0] for word in leftovers.found(host.folders)]
    assert {"cable", "namespace"} <= set(kinds)
    host.down()
    assert leftovers.found(host.folders) == []
    host.start()
    assert host.node_ready()


@pytest.fixture
def own_cluster(was_up_before):
    """Skip tests that stop the cluster if it was up before."""
    if was_up_before:
        pytest.skip("The cluster was up before the tests and stays up for whoever uses it.")
