"""Runs that cannot succeed: `phase2 status` explains them in one sentence, and permanent failures are not retried."""

import json

import pytest
from tests.on_cluster.support.runs import Runs

from phase2.cluster.request.image import Image

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def named(runs):
    """Name a run that cannot succeed, and delete its Jobs afterwards."""
    ids = []

    def name(word: str) -> str:
        ids.append(runs.id(word))
        return ids[-1]

    yield name
    for run_id in ids:
        runs.remove(run_id)


def test_a_wrong_level_fails_without_a_retry(cluster, runs, named):
    run_id = named("wrong-level")
    job = _planned(runs, run_id)
    arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
    arguments[arguments.index("--level") + 1] = "smokey"
    cluster.batch.create_namespaced_job(cluster.namespace, job)
    state = runs.wait_for_state(run_id, "failed")
    assert state["exit_code"] == 2
    assert len(runs.pods(run_id)) == 1
    assert "smokey" in _one_sentence(state)


def test_a_bucket_that_does_not_exist(cluster, runs, named):
    run_id = named("no-bucket")
    result = runs.submit(run_id, "--store", "s3://no-such-bucket")
    assert result.code == 0, result.errors
    state = runs.wait_for_state(run_id, "failed")
    assert "no-such-bucket" in _one_sentence(state)


def test_a_secret_that_does_not_exist(cluster, runs, named):
    run_id = named("no-secret")
    job = _planned(runs, run_id)
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["envFrom"][1]["secretRef"]["name"] = "no-such-secret"
    cluster.batch.create_namespaced_job(cluster.namespace, job)
    state = runs.wait_for_state(run_id, "blocked")
    assert "no-such-secret" in _one_sentence(state)


def test_an_image_that_does_not_exist(cluster, runs, named):
    run_id = named("no-image")
    image = f"{Image.parse(runs.image).name}:no-such-tag"
    result = runs.submit(run_id, "--image", image)
    assert result.code == 0, result.errors
    state = runs.wait_for_state(run_id, "blocked")
    assert image in _one_sentence(state)


def _planned(runs: Runs, run_id: str) -> dict:
    result = runs.submit(run_id, "--dry-run", "--json")
    assert result.code == 0, result.errors
    return json.loads(result.out)["manifest"]


def _one_sentence(state: dict) -> str:
    sentence = state["sentence"]
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    return sentence
