"""The cluster comes up once however often it is asked to, and leaves nothing however it ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.on_cluster.lab import laboratory, leftovers

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

UP = """
from tests.cluster import laboratory
from tests.cluster.cluster import Cluster
laboratory.up(Cluster())
"""


def test_up_twice_is_up_once(host):
    before = {each.pid for each in host.processes.find("apiserver")}
    laboratory.up(host)
    assert before == {each.pid for each in host.processes.find("apiserver")}


def test_what_a_killed_harness_leaves_is_cleared(host, own_cluster):
    host.down()
    assert leftovers.found(host.folders) == []
    host.down()
    assert leftovers.found(host.folders) == []
    with subprocess.Popen([sys.executable, "-c", UP], cwd=Path(__file__).parents[2]) as harness:
        host.wait(lambda: host.core.list_namespaced_pod("minio").items, "a pod to be made", "apiserver")
        harness.send_signal(signal.SIGKILL)
    assert {word.split()[0] for word in leftovers.found(host.folders)} >= {"process", "bridge", "folder", "rules"}
    host.down()
    assert leftovers.found(host.folders) == []
    host.start()
    assert host.node_ready()


@pytest.fixture
def own_cluster(was_up_before):
    """Lets a test take the cluster down, if it is nobody else's."""
    if was_up_before:
        pytest.skip("The cluster was up before the tests and stays up for whoever uses it.")
