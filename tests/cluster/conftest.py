"""Strategies for cluster requests, and fixtures: the command line, a cluster without controllers, this machine."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from tests.cluster.support.harnesses import LocalHarness
from tests.cluster.support.image_names import BY_DIGEST, DIGEST
from tests.cluster.support.stored_api import kubeconfig, storing

from phase2.cli import main
from phase2.cluster.request.image import Image
from phase2.cluster.request.names import EFFECTS, Toleration
from phase2.cluster.request.quantities import parse_cpu, parse_memory
from phase2.cluster.request.resources import ClusterRequest
from phase2.runs.records.manifest import DataFacts, RunManifest, read_manifest
from phase2.testing.finished_run import finished_run

label_names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
label_values = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", fullmatch=True)
label_keys = st.builds(
    lambda prefix, name: f"{prefix}/{name}" if prefix else name, st.none() | label_names, label_values
)
run_ids = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", fullmatch=True)
images = st.sampled_from([BY_DIGEST, "phase2:1.0", "localhost:5000/phase2", f"a/b/c:t@{DIGEST}"]).map(Image.parse)

cluster_requests = st.builds(
    ClusterRequest,
    image=images,
    namespace=label_names,
    cpu=st.sampled_from(["500m", "1", "2.5", "16"]).map(parse_cpu),
    cpu_limit=st.none() | st.sampled_from(["16", "64"]).map(parse_cpu),
    nodes=st.sampled_from([1, 1, 2]),
    memory=st.sampled_from(["500Mi", "8Gi", "1Ti", "4G"]).map(parse_memory),
    gpus=st.integers(0, 2),  # the smallest batch has 4 crystals
    shared_memory=st.none() | st.sampled_from(["64Mi", "500Mi"]).map(parse_memory),
    priority=st.none() | label_names,
    runtime_class=st.none() | st.just("sandbox"),
    queue=st.none() | label_names,
    node_selector=st.dictionaries(label_keys, label_values, max_size=3).map(lambda found: tuple(found.items())),
    tolerations=st.lists(
        st.builds(Toleration, label_keys, st.none() | label_values, st.none() | st.sampled_from(EFFECTS)), max_size=3
    ).map(tuple),
    cache=st.none() | label_names,
    store=st.none() | st.just("s3://bucket/models"),
    deadline_seconds=st.none() | st.integers(1, 10**9),
    retries=st.integers(0, 1000),
)


_LONGEST_OF_A_GROUP = 40


def fitting(cluster: ClusterRequest, run_id: str) -> ClusterRequest:
    """Return a request with one node where a run id is too long for the names of several pods."""
    return cluster if len(run_id) <= _LONGEST_OF_A_GROUP else replace(cluster, nodes=1)


@pytest.fixture
def no_cluster(monkeypatch, tmp_path):
    """Machine without a kubeconfig and without settings in the environment."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    for name in ("PHASE2_IMAGE", "PHASE2_NAMESPACE", "PHASE2_STORE"):
        monkeypatch.delenv(name, raising=False)


def measured_run(
    output, *, epoch_seconds: float, train: int, gpu: str | None = None, cores: float = 2, threads: int | None = None
) -> RunManifest:
    """Return a finished run of cgcnn smoke with a given time per epoch."""
    run = finished_run(output, {})
    manifest = read_manifest(run.manifest)
    counts = {"read": 800, "rejected": 0, "unlabelled": 0, "used": 800, "train": train, "val": 80, "test": 80}
    data = DataFacts(source="sample", fingerprint="f", split_fingerprint="s", labels={}, **counts)
    hardware = manifest.hardware.model_copy(update={"gpu": gpu, "cores": cores, "threads": threads})
    update = {"data": data, "mean_epoch_seconds": epoch_seconds, "hardware": hardware}
    return manifest.model_copy(update=update).seal(run)


@pytest.fixture
def cli(monkeypatch, tmp_path, capfd):
    """Command line in an empty folder; returns exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    for name in ("PHASE2_IMAGE", "PHASE2_NAMESPACE", "PHASE2_STORE", "PHASE2_RUN_ID"):
        monkeypatch.delenv(name, raising=False)

    def run_command(*arguments):
        capfd.readouterr()
        code = main(list(arguments))
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return run_command


@pytest.fixture
def api(monkeypatch, tmp_path):
    with storing() as made:
        monkeypatch.setenv("KUBECONFIG", kubeconfig(made, tmp_path))
        yield made


@pytest.fixture(scope="session")
def graphs(tmp_path_factory):
    """Folder for the graph store that all runs of this machine share."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def local_harness(cli, graphs, monkeypatch, tmp_path):
    """Harness of the local backend, with a store and without a cluster."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))  # no cluster is asked
    monkeypatch.setenv("PHASE2_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PHASE2_CACHE_DIR", graphs)
    made = LocalHarness(cli)
    yield made
    made.clear()
