"""A study whose workers are Jobs: they share its trials, and one that is lost is replaced."""

import json

import pytest
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.runs import SMALL

from phase2.cluster.plan import CACHE_CLAIM

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

TRIALS, WORKERS = 3, 2
STUDY = [
    *("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "200", "--batch-size", "8", "--epochs", "20"),
    *("--over", "training.lr=1e-4..1e-2:log", "--pruner", "none"),
]


@pytest.fixture(scope="module")
def study(runs):
    """Study of which a worker's pod was deleted while it trained; its name and what it was submitted as."""
    name = runs.id("tune")
    words = [*STUDY, "--trials", str(TRIALS), "--workers", str(WORKERS), "--name", name, *SMALL, "--cache", CACHE_CLAIM]
    done = runs.phase2("tune", "submit", *words, "--store", runs.store, "--json")
    assert done.code == 0, done.errors
    workers = [one["run"] for one in json.loads(done.out)["submitted"]]
    assert workers == [f"{name}-{TRIALS}-worker-{number}" for number in range(WORKERS)]
    faults.delete(runs.cluster, runs.wait_for_epoch(workers[0], 2))
    for worker in workers:
        runs.wait_for_end(worker)
    return name, workers


def shown(runs, name):
    done = runs.phase2("tune", "show", name, "--store", runs.store, "--json")
    assert done.code == 0, done.errors
    return json.loads(done.out)


def test_the_workers_train_each_trial_once(runs, study, bucket):
    name, _ = study
    facts = shown(runs, name)
    assert [trial["state"] for trial in facts["trials"]] == ["complete"] * TRIALS
    scores = {trial["run"]: runs.published(trial["run"], bucket).manifest.score for trial in facts["trials"]}
    assert scores == {trial["run"]: trial["score"] for trial in facts["trials"]}
    assert facts["best"]["score"] == min(scores.values())


def test_the_trial_of_a_lost_worker_is_continued(runs, study, bucket, survived):
    name, _ = study
    manifests = [runs.published(trial["run"], bucket).manifest for trial in shown(runs, name)["trials"]]
    (broken,) = (one for one in manifests if len(one.attempts) > 1)
    assert [attempt.outcome for attempt in broken.attempts] == ["interrupted", "finished"]
    assert broken.attempts[-1].resumed_from
    survived["pod of a worker deleted while its study ran"] += 1


def test_its_best_trial_is_trained_again_with_the_same_result(runs, study, bucket, tmp_path):
    name, _ = study
    best = tmp_path / "best.yaml"
    assert runs.phase2("tune", "show", name, "--store", runs.store, "--best", str(best)).code == 0
    run_id = runs.id("best")
    words = ["--config", str(best), "--run-id", run_id, *SMALL, "--cache", CACHE_CLAIM, "--store", runs.store]
    done = runs.phase2("submit", *words)
    assert done.code == 0, done.errors
    runs.wait_for_end(run_id)
    assert runs.published(run_id, bucket).manifest.score == shown(runs, name)["best"]["score"]


def test_the_same_command_submits_nothing_twice_and_more_trials_submit_more(runs, study):
    name, _ = study
    words = [*STUDY, "--workers", "1", "--name", name, *SMALL, "--cache", CACHE_CLAIM, "--store", runs.store, "--json"]
    again = runs.phase2("tune", "submit", *words, "--trials", str(TRIALS))
    assert [one["outcome"] for one in json.loads(again.out)["submitted"]] == ["already succeeded"], again.errors
    more = runs.phase2("tune", "submit", *words, "--trials", str(TRIALS + 1))
    assert more.code == 0, more.errors
    runs.wait_for_end(f"{name}-{TRIALS + 1}-worker-0")
    wait_until(lambda: len(shown(runs, name)["trials"]) == TRIALS + 1, "the further trial", 30)
    assert shown(runs, name)["trials"][-1]["state"] == "complete"
