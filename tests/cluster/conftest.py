"""The real Kubernetes that all tests in this folder share, and what they found out about time."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from phase2.storage.s3 import S3Store
from phase2.storage.s3_settings import S3Settings
from phase2.testing.s3_servers import ServerUnavailableError

from . import laboratory
from .cluster import Cluster
from .host import ClusterUnavailableError
from .minio import BUCKET, Minio
from .pods import Pods
from .timings import STEPS

REQUIRED = "PHASE2_CLUSTER"
"""With ``required``, as `make test-cluster` sets it, a machine that cannot run the cluster fails the tests."""

SURVIVED = "survived: "


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster; one that was up before goes on running afterwards."""
    made = Cluster()
    with laboratory.alone(made.folders):
        kept = laboratory.is_complete(made)
        try:
            laboratory.up(made)
            yield made
        except (ClusterUnavailableError, ServerUnavailableError) as error:
            if os.environ.get(REQUIRED) == "required":
                raise
            pytest.skip(str(error))
        finally:
            if not kept:
                made.down()


@pytest.fixture(scope="session")
def image(cluster: Cluster) -> str:
    """The image that trains, at its digest."""
    return laboratory.image(cluster)


@pytest.fixture(scope="session")
def minio_pod(cluster: Cluster) -> Minio:
    """The object store in the cluster."""
    return Minio(cluster)


@pytest.fixture
def store(minio_pod: Minio, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """The bucket of the cluster's runs, as this host sees it."""
    for name, value in minio_pod.server.environment.items():
        monkeypatch.setenv(name, value)
    return S3Store(BUCKET, "", S3Settings.from_environment())


@pytest.fixture(scope="session")
def pods(cluster: Cluster) -> Pods:
    return Pods(cluster)


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
