"""Nodes are lost or cut off while runs train on them: no run is lost, and no two pods write one."""

import pytest
from tests.on_cluster.lab import laboratory
from tests.on_cluster.lab.pods import restricted_pod
from tests.on_cluster.lab.services.store import BUCKET, IN_CLUSTER

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1800)]

TAINT = "phase2.dev/second-node"
"""Keeps the pods of other tests off the node that these tests break."""
PYTHON = "/opt/phase2/bin/python"


@pytest.fixture(scope="module")
def second(host, image):
    """The second node, which only pods that tolerate it use."""
    node = host.add_second_node()
    try:
        host.kubectl("taint", "node", node.name, f"{TAINT}=:NoSchedule", "--overwrite")
        laboratory.pull(host, image, node.name)
        yield node
    finally:
        host.remove_second_node(node)


def test_a_pod_of_the_second_node_reaches_the_store_and_a_pod_of_the_first(host, second, pods, image):
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
