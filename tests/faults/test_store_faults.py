"""A store on an unreliable network: puts that succeed are stored, downloads are intact, and failures are transient.

``PHASE2_FAULT_ROUNDS`` sets how often each case is repeated.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from phase2.errors import TransientError
from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.base import ObjectExistsError, ObjectInfo
from phase2.storage.s3.settings import S3Settings
from phase2.storage.urls import open_store
from phase2.testing.finished_run import finished_run
from phase2.testing.stores.faults import Fault, Faults
from phase2.testing.stores.flaky_proxy import flaky

from .conftest import ROUNDS as SCALE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

CHANCE = 0.3
ROUNDS = max(1, round(SCALE))
PART = 5 << 20  # the smallest part that S3 accepts
PLANS = {fault.value: Faults.only(fault, CHANCE) for fault in Fault} | {"mixed": Faults.mixed(CHANCE)}


def settings(endpoint, **fields):
    hurried = {"attempts": 4, "first_pause": 0.01, "longest_pause": 0.05, "timeout": 5.0, "workers": 3}
    return S3Settings(endpoint=endpoint, region="us-east-1", path_style=True, part_bytes=PART, **(hurried | fields))


def content(seed, size):
    return random.Random(seed).randbytes(size)


@pytest.fixture
def direct(server, new_store):
    """The store without faults."""
    return new_store(server, settings(server.endpoint))


@pytest.fixture
def proxy(server, done, request):
    with flaky(server.endpoint, seed=sum(request.node.name.encode())) as proxy:
        yield proxy
    done["requests"] += proxy.requests
    done.update({str(fault): count for fault, count in proxy.counts.items()})


@pytest.fixture
def store(proxy, direct):
    """The same store behind the flaky proxy."""
    return open_store(direct.url, settings(proxy.endpoint))


@pytest.fixture
def attempt(done):
    """Call an action that may fail transiently; return whether it succeeded."""

    def call(name, action):
        done[name] += 1
        try:
            action()
        except TransientError:
            return False
        return True

    return call


@pytest.fixture(params=PLANS)
def plan(request):
    return PLANS[request.param]


def test_reported_puts_are_stored_and_downloads_are_intact(store, direct, proxy, plan, attempt, tmp_path):
    for k in range(ROUNDS):
        for size in (20_000, 2 * PART + 17_000):
            source, target, key = tmp_path / f"{k}-{size}", tmp_path / f"copy-{k}-{size}", f"{k}/{size}"
            source.write_bytes(content(k, size))
            proxy.use(plan)
            if attempt("put", partial(store.put, key, source)):
                assert direct.read(key) == source.read_bytes()
            proxy.heal()
            store.put(key, source)
            proxy.use(plan)
            for _ in range(3):
                if attempt("get", partial(store.get, key, target)):
                    assert target.read_bytes() == source.read_bytes()
                    target.unlink()
                assert not target.exists()
            got: list[bytes] = []
            if attempt("read", lambda key=key, got=got: got.append(store.read(key))):
                assert got == [source.read_bytes()]
            proxy.heal()
            store.get(key, target)
            assert target.read_bytes() == source.read_bytes()


def test_a_response_truncated_anywhere_is_rejected(direct, proxy, attempt):
    known = direct.put("a", b"content")
    hasty = open_store(direct.url, settings(proxy.endpoint, attempts=1))
    hasty.read("a")
    proxy.use(Faults.only(Fault.TRUNCATE))
    for _ in range(50 * ROUNDS):
        got: list[ObjectInfo | None] = []
        if attempt("head", lambda got=got: got.append(hasty.head("a"))):
            assert got == [direct.head("a")]
            assert got[0].sha256 == known.sha256


def test_a_run_is_published_whole_and_pulled_whole(store, direct, proxy, plan, attempt, tmp_path):
    for k in range(ROUNDS):
        files = {f"small_{i}": content(i, 3_000) for i in range(4)} | {"best.pt": content(k, PART + 1_000)}
        run = finished_run(tmp_path / str(k), files)
        prefix = f"{run.family}/{run.name}"
        proxy.use(plan)
        for _ in range(3):
            if attempt("publish", partial(publish_run, store, run)):
                assert_whole(direct, prefix)
        proxy.heal()
        publish_run(store, run)
        assert_whole(direct, prefix)

        proxy.use(plan)
        pulled = tmp_path / f"pulled-{k}"
        for _ in range(3):
            if attempt("pull", lambda prefix=prefix, pulled=pulled: PublishedRun.open(store, prefix).pull(pulled)):
                break
            assert_right(pulled / prefix, run.path)
        proxy.heal()
        PublishedRun.open(store, prefix).pull(pulled)
        assert_right(pulled / prefix, run.path)
        assert {path.name for path in (pulled / prefix).iterdir()} >= {*files, "run_manifest.json"}


def test_exactly_one_of_several_conditional_puts_succeeds(store, direct, proxy, plan, done):
    for k in range(3 * ROUNDS):
        proxy.use(plan)
        outcomes = contest(store, f"claim-{k}", done)
        winners = [i for i, outcome in enumerate(outcomes) if outcome == "won"]
        assert len(winners) <= 1
        if winners:
            assert direct.read(f"claim-{k}") == claim(winners[0])
        proxy.heal()
        assert contest(store, f"claim-{k}", done).count("won") == (not winners and "unknown" not in outcomes)


@pytest.mark.parametrize("size", [9, PART + 9], ids=["small", "multipart"])
def test_a_conditional_put_succeeds_although_its_response_is_lost(store, direct, proxy, done, size):
    for k in range(ROUNDS):
        for methods in ("PUT", "POST") if size > PART else ("PUT",):
            # Only the one that acts is asked often enough: fewer answers are lost than there are attempts.
            proxy.use(Faults.only(Fault.LOSE, most=3, methods=methods))
            key = f"{methods}-{k}"
            done["put if absent"] += 1
            store.put(key, content(k, size), if_absent=True)
            assert direct.read(key) == content(k, size)
            with pytest.raises(ObjectExistsError):
                store.put(key, content(k, size), if_absent=True)


def test_of_several_conditional_puts_with_lost_responses_exactly_one_succeeds(store, direct, proxy, done):
    for k in range(2 * ROUNDS):
        proxy.use(Faults.only(Fault.LOSE, most=3, methods="PUT"))
        outcomes = contest(store, f"claim-{k}", done)
        assert sorted(outcomes) == ["lost"] * (len(outcomes) - 1) + ["won"]
        assert direct.read(f"claim-{k}") == claim(outcomes.index("won"))


def test_a_temporary_outage_is_waited_for(store, proxy):
    patient = open_store(store.url, settings(proxy.endpoint, attempts=100, first_pause=0.2, longest_pause=0.2))
    patient.put("a", b"before")
    with ThreadPoolExecutor(1) as pool:
        with proxy.unreachable():
            with pytest.raises(TransientError, match="cannot be reached"):
                store.put("a", b"during")
            waiting = pool.submit(patient.put, "a", b"after")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        waiting.result(timeout=60)
    assert store.read("a") == b"after"


def claim(i):
    return f"contestant {i}".encode()


def contest(store, key, done):
    """Run several conditional puts of one key concurrently; return of each whether it won, lost, or cannot know."""

    def take_part(i):
        done["put if absent"] += 1
        try:
            store.put(key, claim(i), if_absent=True)
        except ObjectExistsError:
            return "lost"
        except TransientError:
            return "unknown"
        return "won"

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(take_part, range(4)))


def assert_whole(store, prefix):
    result = PublishedRun.open(store, prefix).verify()
    assert (result.missing, result.damaged, result.extra) == ((), (), ())


def assert_right(folder, original):
    """Assert that the downloaded file equals the original; partial files have other names."""
    for path in folder.glob("*"):
        if path.suffix != ".part":
            assert path.read_bytes() == (original / path.name).read_bytes()
