"""Fixtures of the tests on a real cluster: the cluster, its store, runs, and users; and a summary at the end."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait

import pytest
from tests.on_cluster.lab import laboratory
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.external_cluster import ExternalCluster
from tests.on_cluster.lab.node.host import ClusterUnavailableError
from tests.on_cluster.lab.pods import Pods
from tests.on_cluster.lab.services.minio import Minio
from tests.on_cluster.lab.services.store import BUCKET, ClusterStore
from tests.on_cluster.lab.timings import LISTENERS, STEPS, record, step
from tests.on_cluster.support.fault_runs import FaultRuns, Resumed, cancel_and_resume
from tests.on_cluster.support.real_jobs import ContractTest, running_contract_tests
from tests.on_cluster.support.runs import CommandResult, ReferenceRun, Runs
from tests.on_cluster.support.users import MAY_SUBMIT, Users

from phase2.cli import main
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store

CHOICE = "PHASE2_CLUSTER"
"""Selects the cluster: with ``required``, as `make test-cluster` sets it, a machine that cannot run its own fails the
tests; with ``given``, as `make kind-test` sets it, they use an external cluster; otherwise they may be skipped."""

SURVIVED = "survived: "


@pytest.fixture(scope="session")
def was_up_before(own: Cluster | None) -> bool:
    """Whether the cluster was up before the tests."""
    return own is None or laboratory.is_complete(own)


@pytest.fixture(scope="session")
def own() -> Iterator[Cluster | None]:
    """This machine's only cluster, which may not be up yet, behind a lock; None with an external cluster."""
    if os.environ.get(CHOICE) == "given":
        yield None
        return
    made = Cluster()
    with laboratory.alone(made.folders):
        yield made


@pytest.fixture(scope="session")
def cluster(own: Cluster | None, was_up_before: bool) -> Iterator[Cluster | ExternalCluster]:
    """Running cluster; one that was up before stays up."""
    if own is None:
        yield ExternalCluster()
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
def host(cluster: ClusterBase) -> Cluster:
    """The cluster as a set of processes of this machine."""
    if not isinstance(cluster, Cluster):
        pytest.skip("This needs the node's own processes and network, which an external cluster hides.")
    return cluster


@pytest.fixture(scope="session")
def image(cluster: Cluster | ExternalCluster) -> str:
    """Image that trains; by digest on this machine's own cluster."""
    return cluster.image if isinstance(cluster, ExternalCluster) else laboratory.image(cluster)


@pytest.fixture(scope="session")
def store(cluster: Cluster | ExternalCluster) -> ClusterStore:
    """The object store in the cluster."""
    return cluster.store if isinstance(cluster, ExternalCluster) else Minio(cluster)


@pytest.fixture(scope="session")
def minio_pod(host: Cluster) -> Minio:
    """The object store as a process of this machine."""
    return Minio(host)


@pytest.fixture(scope="session")
def store_keys(store: ClusterStore) -> Iterator[None]:
    """Address and keys of the store, in the environment of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.server.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def runs(cluster: ClusterBase, image: str, store: ClusterStore) -> Iterator[Runs]:
    """Runs of this session."""
    made = Runs(cluster, image, store)
    yield made
    made.clear()


@pytest.fixture(scope="session")
def in_bucket(store_keys: None) -> Callable[[str], S3Store]:
    """Return the store with a prefix in the bucket, as seen from this host."""
    settings = S3Settings.from_environment()
    return lambda prefix: S3Store(BUCKET, prefix, settings)


@pytest.fixture(scope="session")
def bucket(in_bucket: Callable[[str], S3Store], runs: Runs) -> S3Store:
    """Store of this session's runs."""
    return in_bucket(runs.prefix)


@pytest.fixture(scope="session")
def reference_run(runs: Runs) -> Iterator[ReferenceRun]:
    """Run without a fault, watched to its end while no other run trains."""
    run_id = runs.id("reference")
    with step("phase2 submit"):
        result = runs.submit(run_id)

    def watch() -> CommandResult:
        watched = runs.submit(run_id, "--watch")  # submitting it again returns the same run
        record("container start to the end of the first epoch", runs.seconds_to_first_epoch(run_id))
        return watched

    with ThreadPoolExecutor(1) as pool:
        yield ReferenceRun(run_id, result, pool.submit(watch))


@pytest.fixture(scope="session")
def background(reference_run: ReferenceRun) -> Iterator[Executor]:
    """Background executor: its tasks mostly wait for pods, and more of them at once would starve the pods."""
    with ThreadPoolExecutor(4, initializer=lambda: wait([reference_run.watched])) as pool:
        yield pool


@pytest.fixture(scope="session")
def fault_runs(
    request: pytest.FixtureRequest, cluster: ClusterBase, runs: Runs, bucket: S3Store, background: Executor
) -> dict[str, Future[str]]:
    """Ids of the runs with a fault, by fault, for the faults of the selected tests."""
    needed = {mark.args[0] for item in request.session.items for mark in item.iter_markers("fault_run")}
    return FaultRuns(cluster, runs, bucket).start(background, needed)


@pytest.fixture(scope="session")
def resumed(runs: Runs, background: Executor) -> Future[Resumed]:
    """Run that was cancelled and resumed."""
    return background.submit(cancel_and_resume, runs)


@pytest.fixture(scope="session")
def contract_results(runs: Runs, background: Executor) -> Iterator[dict[ContractTest, Future[None]]]:
    """Results of the contract tests whose runs train."""
    with running_contract_tests(runs, background) as results:
        yield results


@pytest.fixture(scope="session", autouse=True)
def start_early(request: pytest.FixtureRequest) -> None:
    """Start the background work that the selected tests need."""
    needed = {name for item in request.session.items if isinstance(item, pytest.Function) for name in item.fixturenames}
    for name in ("resumed", "fault_runs", "contract_results"):
        if name in needed:
            request.getfixturevalue(name)


@pytest.fixture(scope="session")
def pods(cluster: ClusterBase) -> Pods:
    return Pods(cluster)


@pytest.fixture(scope="session")
def users(cluster, tmp_path_factory):
    created = Users(cluster, tmp_path_factory.mktemp("kubeconfigs"))
    created.set_up()
    yield created
    created.tear_down()


@pytest.fixture
def cli(users, image, monkeypatch, capsys):
    """Command line of a user; returns exit code, standard output and standard error."""

    def run_command(*arguments, user=MAY_SUBMIT):
        monkeypatch.setenv("KUBECONFIG", users.kubeconfig(user))
        monkeypatch.setenv("PHASE2_IMAGE", image)
        for name in ("PHASE2_NAMESPACE", "PHASE2_STORE"):
            monkeypatch.delenv(name, raising=False)
        capsys.readouterr()
        code = main(list(arguments))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run_command


@pytest.fixture
def survived(record_property) -> Iterator[Counter[str]]:
    """Count the faults that runs survived, by name; printed at the end of the session."""
    counts: Counter[str] = Counter()
    yield counts
    for fault, n in counts.items():
        record_property(f"{SURVIVED}{fault}", n)


def pytest_collection_modifyitems(items):
    """Run the tests of background work late, then those that break shared parts, then those that stop the cluster."""
    last = ("test_backends.py", "test_faults.py", "test_lifecycle.py")
    items.sort(key=lambda item: last.index(item.path.name) + 1 if item.path.name in last else 0)


@pytest.hookimpl(trylast=True)  # after the reporter is registered
def pytest_configure(config):
    """Print each step that takes minutes when it ends."""
    reporter, capture = map(config.pluginmanager.get_plugin, ("terminalreporter", "capturemanager"))
    if reporter is None or capture is None:
        return

    def print_line(line):
        with capture.global_and_fixture_disabled():
            reporter.write_line(line)

    LISTENERS.append(print_line)


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
