"""Two processes with the same run id, and trainings with an unreliable bucket."""

import random
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.reader import PublishedRun
from phase2.testing.same_result import assert_same_result
from phase2.testing.stores.faults import Faults
from phase2.testing.stores.flaky_proxy import flaky

from .conftest import EVERY_STEP, ROUNDS, WORDS
from .processes import Processes, only_run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]
EPOCHS = 12
ROUNDS_HERE = max(1, round(4 * ROUNDS))


@pytest.fixture(scope="module")
def two(tmp_path_factory, whole):
    """Two servers of processes, each with a filled cache of its own."""
    whole(EPOCHS)
    with ThreadPoolExecutor(2) as pool:
        crowd = []
        for k in range(2):
            cache = tmp_path_factory.mktemp(f"cache-{k}")
            crowd.append(Processes(tmp_path_factory.mktemp(f"logs-{k}"), {"PHASE2_CACHE_DIR": str(cache)}))

        def run(words, environment):
            return list(
                pool.map(lambda pair: pair[0].run(pair[1], environment=environment), zip(crowd, words, strict=True))
            )

        yield run
        for each in crowd:
            each.__exit__()


def words(output, store):
    return [*WORDS, "--epochs", str(EPOCHS), *EVERY_STEP, "--output", str(output), "--store", store.url]


def test_two_processes_with_one_run_id_make_one_run(two, whole, server, new_store, tmp_path, done):
    store = new_store(server)
    for k in range(ROUNDS_HERE):
        outputs = [tmp_path / f"{k}-{i}" for i in range(2)]
        environment = server.environment | {"PHASE2_RUN_ID": f"twins-{k}"}
        ended = two([words(output, store) for output in outputs], environment)
        assert [each.code for each in ended] == [0, 0], [each.said for each in ended]
        runs = [run for run in list_runs(store) if run.run_id == f"twins-{k}"]
        assert len(runs) == 1
        found = PublishedRun.open(store, runs[0].prefix).verify()
        assert (found.missing, found.damaged, found.extra) == ((), (), ())
        for output in outputs:
            assert_same_result(only_run(output), whole(EPOCHS))
        said = "".join(each.said for each in ended)
        assert said.count("\npublished: ") == 1
        assert "already published" in said
        done["pairs of processes with one run id"] += 1


@pytest.mark.parametrize("seed", range(2))
def test_a_training_on_a_flaky_network_killed_repeatedly_ends_equal(
    train, whole, pace, server, new_store, tmp_path, seed, done
):
    dice = random.Random(seed)
    store = new_store(server)
    with flaky(server.endpoint, Faults.mixed(0.1), seed=seed) as proxy:
        environment = server.environment | {"AWS_ENDPOINT_URL_S3": proxy.endpoint, "PHASE2_RUN_ID": f"flaky-{seed}"}
        for attempt in range(100):
            kill_after = dice.uniform(0.2, 2) * pace if attempt < 8 * ROUNDS else None
            ended = train(
                tmp_path / "run", "--store", store.url, epochs=EPOCHS, environment=environment, kill_after=kill_after
            )
            if ended.code == 0:
                break
            assert ended.killed or ended.code == 75, ended.said
            assert "Traceback" not in ended.said
            done["kills behind a flaky network" if ended.killed else "attempts that gave up on the network"] += 1
            if dice.random() < 0.3:
                shutil.rmtree(tmp_path / "run", ignore_errors=True)
        done["requests"] += proxy.requests
        done.update({str(fault): n for fault, n in proxy.counts.items()})
    assert ended.code == 0, ended.said
    assert_same_result(only_run(tmp_path / "run"), whole(EPOCHS))
    (summary,) = [run for run in list_runs(store) if run.run_id == f"flaky-{seed}"]
    assert PublishedRun.open(store, summary.prefix).verify().intact


def test_a_temporary_outage_of_the_bucket_costs_nothing(train, whole, pace, server, new_store, tmp_path, done):
    store = new_store(server)
    with flaky(server.endpoint, seed=0) as proxy:
        environment = server.environment | {
            "AWS_ENDPOINT_URL_S3": proxy.endpoint, "PHASE2_RUN_ID": "gone", "PHASE2_STORE_PATIENCE": "0",
        }  # fmt: skip
        ended = train(tmp_path / "run", "--store", store.url, environment=environment, kill_after=pace / 2)
        with proxy.unreachable():
            if ended.code != 0:
                ended = train(tmp_path / "run", "--store", store.url, environment=environment)
                assert ended.code == 75, ended.said
                assert "cannot be reached" in ended.said
                done["buckets that were gone"] += 1
        ended = train(tmp_path / "run", "--store", store.url, environment=environment)
    assert ended.code == 0, ended.said
    assert_same_result(only_run(tmp_path / "run"), whole())
    (summary,) = [run for run in list_runs(store) if run.run_id == "gone"]
    assert PublishedRun.open(store, summary.prefix).verify().intact
