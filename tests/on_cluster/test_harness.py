"""Properties of the cluster that the other tests rely on."""

import pytest
from kubernetes.client.exceptions import ApiException
from tests.on_cluster.lab.pods import restricted_pod
from tests.on_cluster.lab.services.store import BUCKET, IN_CLUSTER

pytestmark = pytest.mark.cluster

PYTHON = "/opt/phase2/bin/python"


def test_the_node_is_ready_and_of_the_version_that_was_built(host):
    assert host.node_ready()
    (node,) = host.core.list_node().items
    assert node.status.node_info.kubelet_version == "v1.34.4"


@pytest.mark.slow
def test_a_pod_resolves_names_and_reaches_the_bucket(pods, image, store):
    store.client.put_object(Bucket=BUCKET, Key="harness/hello", Body=b"from the host")
    script = f"""
import boto3, socket
socket.gethostbyname("minio.minio.svc.cluster.local")
s3 = boto3.client("s3", endpoint_url="{IN_CLUSTER}", region_name="us-east-1")
print(s3.get_object(Bucket="{BUCKET}", Key="harness/hello")["Body"].read().decode())
s3.put_object(Bucket="{BUCKET}", Key="harness/answer", Body=b"from the pod")
"""
    ended = pods.run(restricted_pod("reaches-bucket", image, PYTHON, "-c", script))
    assert ended.code == 0, ended.log
    assert ended.log.split("\n")[0] == "from the host"
    assert store.client.get_object(Bucket=BUCKET, Key="harness/answer")["Body"].read() == b"from the pod"


def test_restricted_pod_security_refuses_a_privileged_pod(cluster, pods, image):
    pod = restricted_pod("privileged", image, "true")
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    with pytest.raises(ApiException, match='violates PodSecurity \\\\"restricted') as refused:
        pods.create(pod)
    assert refused.value.status == 403


@pytest.mark.slow
def test_logs_and_exec_work(cluster, pods, image):
    script = "import signal; print('ready', flush=True); signal.pause()"
    pods.create(restricted_pod("waits", image, PYTHON, "-c", script))
    try:
        pods.wait("waits", lambda status: status.phase == "Running" and "ready" in pods.logs("waits"), "to say ready")
        assert cluster.kubectl("exec", "waits", "--", "id", "-u").stdout.strip() == "10001"
    finally:
        pods.delete("waits")


def test_the_image_runs_as_an_unprivileged_user_who_writes_only_to_volumes(pods, image):
    script = """
import os, pathlib
print(os.getuid(), os.getgid())
for folder in ("/", "/etc", "/opt/phase2", "/work", "/tmp"):
    try:
        pathlib.Path(folder, "probe").write_text("x")
        print(folder, "written")
    except OSError as error:
        print(folder, os.strerror(error.errno))
"""
    ended = pods.run(restricted_pod("stranger", image, PYTHON, "-c", script))
    assert ended.log.splitlines() == [
        "10001 10001",
        "/ Read-only file system",
        "/etc Read-only file system",
        "/opt/phase2 Read-only file system",
        "/work written",
        "/tmp written",
    ]


@pytest.mark.slow
def test_the_image_runs_phase2(pods, image):
    ended = pods.run(restricted_pod("version", image, "phase2", "--version"))
    assert ended.code == 0
    assert "phase2" in ended.log
