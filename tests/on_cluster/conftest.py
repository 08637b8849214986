"""The real Kubernetes that all tests in this folder share, and what they found out about time."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait

import pytest
from tests.on_cluster.lab import laboratory
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.cluster_base import ReachedCluster
from tests.on_cluster.lab.external_cluster import GivenCluster
from tests.on_cluster.lab.host import ClusterUnavailableError
from tests.on_cluster.lab.minio import Minio
from tests.on_cluster.lab.pods import Pods
from tests.on_cluster.lab.store import BUCKET, ClusterStore
from tests.on_cluster.lab.timings import SAY, STEPS, record, step
from tests.on_cluster.support.fault_runs import DisturbedRuns, Resumed, cancel_and_resume
from tests.on_cluster.support.real_jobs import Law, trying_laws
from tests.on_cluster.support.runs import Runs, Said, Undisturbed
from tests.on_cluster.support.users import MAY_SUBMIT, People

from phase2.cli import main
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store

CHOICE = "PHASE2_CLUSTER"
"""Chooses the cluster: with ``required``, as `make test-cluster` sets it, a machine that cannot run its own fails the
tests; with ``given``, as `make kind-test` sets it, they use the one of the environment; else they may be skipped."""

SURVIVED = "survived: "


@pytest.fixture(scope="session")
def was_up_before(own: Cluster | None) -> bool:
    """Whether somebody had the cluster up already."""
    return own is None or laboratory.is_complete(own)


@pytest.fixture(scope="session")
def own() -> Iterator[Cluster | None]:
    """This machine's only cluster, which may not be up yet, behind a lock; None where another one is given."""
    if os.environ.get(CHOICE) == "given":
        yield None
        return
    made = Cluster()
    with laboratory.alone(made.folders):
        yield made


@pytest.fixture(scope="session")
def cluster(own: Cluster | None, was_up_before: bool) -> Iterator[ReachedCluster]:
    """A running cluster; one that was up before goes on running afterwards."""
    if own is None:
        yield GivenCluster()
        return
    try:
        laboratory.prepare(own)
    except ClusterUnavailableError as error:
        if os.environ.get(CHOICE) == "required":
            raise
        pytest.skip(str(error))
    try:
        laboratory.up(own)
        yield own
    finally:
        if not was_up_before:
            own.down()


@pytest.fixture(scope="session")
def host(cluster: ReachedCluster) -> Cluster:
    """The cluster as a set of processes of this machine."""
    if not isinstance(cluster, Cluster):
        pytest.skip("This needs the node's own processes and network, which belong to a given cluster's makers.")
    return cluster


@pytest.fixture(scope="session")
def image(cluster: ReachedCluster) -> str:
    """The image that trains; in a cluster of our own at its digest."""
    return cluster.image if isinstance(cluster, GivenCluster) else laboratory.image(cluster)


@pytest.fixture(scope="session")
def store(cluster: ReachedCluster) -> ClusterStore:
    """The object store in the cluster."""
    return cluster.store if isinstance(cluster, GivenCluster) else Minio(cluster)


@pytest.fixture(scope="session")
def minio_pod(host: Cluster) -> Minio:
    """The object store as a process of this machine."""
    return Minio(host)


@pytest.fixture(scope="session")
def store_keys(store: ClusterStore) -> Iterator[None]:
    """The way to the store and its keys, in the environment of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.server.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def runs(cluster: ReachedCluster, image: str, store: ClusterStore) -> Iterator[Runs]:
    """Runs of this session."""
    made = Runs(cluster, image, store)
    yield made
    made.clear()


@pytest.fixture(scope="session")
def in_bucket(store_keys: None) -> Callable[[str], S3Store]:
    """Makes a place in the bucket, by its prefix, as this host sees it."""
    settings = S3Settings.from_environment()
    return lambda prefix: S3Store(BUCKET, prefix, settings)


@pytest.fixture(scope="session")
def bucket(in_bucket: Callable[[str], S3Store], runs: Runs) -> S3Store:
    """The place of this session's runs in the bucket."""
    return in_bucket(runs.prefix)


@pytest.fixture(scope="session")
def undisturbed(runs: Runs) -> Iterator[Undisturbed]:
    """A run that is watched to its end while no other trains."""
    run_id = runs.id("undisturbed")
    with step("phase2 submit"):
        said = runs.submit(run_id)

    def watch() -> Said:
        watched = runs.submit(run_id, "--watch")  # the same again is the same run
        record("container start to the end of the first epoch", runs.seconds_to_first_epoch(run_id))
        return watched

    with ThreadPoolExecutor(1) as pool:
        yield Undisturbed(run_id, said, pool.submit(watch))


@pytest.fixture(scope="session")
def beside(undisturbed: Undisturbed) -> Iterator[Executor]:
    """Does what goes on beside the tests: most of its time is waiting for pods, and more at once would starve them."""
    with ThreadPoolExecutor(4, initializer=lambda: wait([undisturbed.watched])) as pool:
        yield pool


@pytest.fixture(scope="session")
def disturbed(cluster: ReachedCluster, runs: Runs, bucket: S3Store, beside: Executor) -> dict[str, Future[str]]:
    """Ids of runs whose pods met their fault."""
    return DisturbedRuns(cluster, runs, bucket).begin(beside)


@pytest.fixture(scope="session")
def resumed(runs: Runs, beside: Executor) -> Future[Resumed]:
    """A run that was cancelled and submitted again."""
    return beside.submit(cancel_and_resume, runs)


@pytest.fixture(scope="session")
def tried(runs: Runs, beside: Executor) -> Iterator[dict[Law, Future[None]]]:
    """The laws of backends whose runs train."""
    with trying_laws(runs, beside) as begun:
        yield begun


@pytest.fixture(scope="session", autouse=True)
def begun_early(request: pytest.FixtureRequest) -> None:
    """Begin what goes on beside the tests, where one was chosen that asks for it."""
    asked = {name for item in request.session.items for name in item.fixturenames}
    for name in ("resumed", "disturbed", "tried"):
        if name in asked:
            request.getfixturevalue(name)


@pytest.fixture(scope="session")
def pods(cluster: ReachedCluster) -> Pods:
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


def pytest_collection_modifyitems(items):
    """Ask for what goes on beside the tests, then break what all share, and take it down at the very end."""
    last = ("test_backends.py", "test_faults.py", "test_lifecycle.py")
    items.sort(key=lambda item: last.index(item.path.name) + 1 if item.path.name in last else 0)


@pytest.hookimpl(trylast=True)  # after the reporter is there
def pytest_configure(config):
    """Let steps that take minutes be heard when they end."""
    reporter, capture = map(config.pluginmanager.get_plugin, ("terminalreporter", "capturemanager"))
    if reporter is None or capture is None:
        return

    def say(line):
        with capture.global_and_fixture_disabled():
            reporter.write_line(line)

    SAY.append(say)


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
