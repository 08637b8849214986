"""The real Kubernetes that all tests in this folder share, and what they found out about time."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from phase2.cli import main
from phase2.storage.s3 import S3Store
from phase2.storage.s3_settings import S3Settings

from . import laboratory
from .cluster import Cluster
from .host import ClusterUnavailableError
from .minio import BUCKET, Minio
from .people import MAY_SUBMIT, People
from .pods import Pods
from .runs import Runs
from .timings import STEPS

REQUIRED = "PHASE2_CLUSTER"
"""With ``required``, as `make test-cluster` sets it, a machine that cannot run the cluster fails the tests."""

SURVIVED = "survived: "


@pytest.fixture(scope="session")
def was_up_before() -> Iterator[bool]:
    """Whether somebody had the cluster up already; holds the lock of the machine's only cluster."""
    made = Cluster()
    with laboratory.alone(made.folders):
        yield laboratory.is_complete(made)


@pytest.fixture(scope="session")
def cluster(was_up_before: bool) -> Iterator[Cluster]:
    """A running cluster; one that was up before goes on running afterwards."""
    made = Cluster()
    try:
        made.prepare()
    except ClusterUnavailableError as error:
        if os.environ.get(REQUIRED) == "required":
            raise
        pytest.skip(str(error))
    try:
        laboratory.up(made)
        yield made
    finally:
        if not was_up_before:
            made.down()


@pytest.fixture(scope="session")
def image(cluster: Cluster) -> str:
    """The image that trains, at its digest."""
    return laboratory.image(cluster)


@pytest.fixture(scope="session")
def minio_pod(cluster: Cluster) -> Minio:
    """The object store in the cluster."""
    return Minio(cluster)


@pytest.fixture(scope="session")
def runs(cluster: Cluster, image: str) -> Iterator[Runs]:
    """Runs of this session."""
    made = Runs(cluster, image)
    yield made
    made.clear()


@pytest.fixture(scope="session")
def bucket(minio_pod: Minio, runs: Runs) -> Iterator[S3Store]:
    """The place of this session's runs in the bucket, as this host sees it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in minio_pod.server.environment.items():
            patch.setenv(name, value)
        yield S3Store(BUCKET, runs.prefix, S3Settings.from_environment())


@pytest.fixture(scope="session")
def pods(cluster: Cluster) -> Pods:
    return Pods(cluster)


@pytest.fixture(scope="session")
def people(cluster, tmp_path_factory):
    made = People(cluster, tmp_path_factory.mktemp("kubeconfigs"))
    made.arrive()
    yield made
    made.leave()


@pytest.fixture
def say(people, image, monkeypatch, capsys):
    """Run a command as a person; returns exit code, standard output and standard error."""

    def run_command(*words, person=MAY_SUBMIT):
        monkeypatch.setenv("KUBECONFIG", people.kubeconfig(person))
        monkeypatch.setenv("PHASE2_IMAGE", image)
        for name in ("PHASE2_NAMESPACE", "PHASE2_STORE"):
            monkeypatch.delenv(name, raising=False)
        capsys.readouterr()
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run_command


@pytest.fixture
def survived(record_property) -> Iterator[Counter[str]]:
    """Faults that a test saw a run survive, by name; printed at the end of the session."""
    counts: Counter[str] = Counter()
    yield counts
    for fault, n in counts.items():
        record_property(f"{SURVIVED}{fault}", n)


def pytest_terminal_summary(terminalreporter):
    """Print which faults runs survived, and how long each step of the cluster took."""
    reports = [report for each in terminalreporter.stats.values() for report in each]
    properties = [each for report in reports for each in getattr(report, "user_properties", [])]
    faults = {name.removeprefix(SURVIVED): n for name, n in properties if name.startswith(SURVIVED)}
    if faults:
        terminalreporter.section("faults survived on the cluster: complete, published once, equal bit for bit")
        for fault, n in faults.items():
            terminalreporter.write_line(f"{n:>8}    {fault}")
    if STEPS:
        terminalreporter.section("steps of the test cluster")
        for name, seconds in STEPS:
            terminalreporter.write_line(f"{seconds:>8.1f} s  {name}")
