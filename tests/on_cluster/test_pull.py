"""``phase2 pull --through-cluster`` by a user without access keys, on the real cluster."""

import os
import subprocess
import sys

import pytest

from phase2.runs.publish.publish import publish_run
from phase2.testing.finished_run import finished_run

pytestmark = pytest.mark.cluster

FILES = {"best.pt": os.urandom(9 << 20), "plots/parity.png": b"png", "empty.csv": b""}


@pytest.fixture(scope="module")
def published(bucket, tmp_path_factory):
    """A run in the bucket, as it is on this host."""
    run = finished_run(tmp_path_factory.mktemp("made"), FILES, run_id="handed-out")
    publish_run(bucket, run)
    return run


@pytest.fixture
def pull(cluster, image, runs, tmp_path):
    """Pull the run as a user of the cluster without keys; returns the process and the folder."""

    def execute(**variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        mine = {"KUBECONFIG": cluster.kubeconfig, "PHASE2_IMAGE": image, "HOME": str(tmp_path), **variables}
        words = ["pull", "handed-out", "--through-cluster", "--store", runs.store, "--to", str(tmp_path / "here")]
        done = subprocess.run(
            [sys.executable, "-m", "phase2", *words], env=kept | mine, capture_output=True, text=True, check=False
        )
        return done, tmp_path / "here"

    return execute


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def jobs_left(cluster):
    found = cluster.batch.list_namespaced_job(
        cluster.namespace, label_selector="app.kubernetes.io/component=transfer"
    ).items
    return [job.metadata.name for job in found if job.metadata.deletion_timestamp is None]


def test_a_user_without_keys_gets_the_run_whole(cluster, published, pull, store):
    # The store's name is one of the cluster: a proxy, for which the store itself does, is how this host reaches it.
    done, folder = pull(http_proxy=store.server.endpoint)
    assert done.returncode == 0, done.stderr
    assert "the files come through the cluster" not in done.stderr
    assert contents(folder / published.path.parent.name / published.path.name) == contents(published.path)
    assert "X-Amz" not in done.stdout + done.stderr
    assert jobs_left(cluster) == []


@pytest.mark.slow
def test_the_files_come_through_logs_where_this_machine_does_not_reach_the_store(cluster, published, pull):
    done, folder = pull()
    assert done.returncode == 0, done.stderr
    assert "the files come through the cluster" in done.stderr
    assert contents(folder / published.path.parent.name / published.path.name) == contents(published.path)
    assert jobs_left(cluster) == []
