"""Going on with a run: what is remembered of it, and where it is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.conftest import run_ids
from tests.cluster.support.image_names import BY_DIGEST

from phase2.cluster.backends import CLUSTER_BACKENDS
from phase2.cluster.manifests.job import build_job
from phase2.cluster.namespace import SubmittedRun
from phase2.cluster.plan import make_plan
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import DAY
from phase2.cluster.resume import from_cluster, from_store
from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.storage.urls import open_store
from phase2.testing.finished_run import finished_run

REQUEST = RunRequest(algorithm="cgcnn", level="lite", properties=("band_gap",))

words = st.builds(
    ClusterOptions,
    image=st.none() | st.just(BY_DIGEST),
    gpus=st.none() | st.integers(0, 8),
    cpu=st.none() | st.just("500m"),
    node_selector=st.none() | st.lists(st.just("gpu=a100"), min_size=1, max_size=1).map(tuple),
    cache=st.none() | st.sampled_from(["none", "claim"]),
    deadline=st.none() | st.sampled_from(["never", "12h"]),
    store=st.none() | st.just("s3://bucket"),
    checkpoint_minutes=st.none() | st.just(2.5),
)


def a_job(run_id, said):
    plan = make_plan(run_id, resolve(REQUEST), said.request("phase2"), words=said)
    return build_job(plan)


def found_in(*jobs):
    return [SubmittedRun(CLUSTER_BACKENDS["job"], job) for job in jobs]


@given(words)
def test_words_are_kept_as_they_were(said):
    assert ClusterOptions.from_json(said.to_json()) == said


@given(words, words)
def test_what_is_said_now_wins_over_what_was_said_before(now, before):
    both = now.over(before)
    for name in ("image", "gpus", "cpu", "cache", "deadline", "store"):
        new, old = getattr(now, name), getattr(before, name)
        assert getattr(both, name) == (old if new is None else new)


def test_what_was_not_said_has_a_default():
    asked = ClusterOptions(image=BY_DIGEST).request("phase2")
    assert (asked.cpu.text, asked.memory.text, asked.gpus, asked.cache, asked.retries) == ("2", "8Gi", 0, None, 6)
    assert asked.deadline_seconds == 7 * DAY
    assert ClusterOptions(image=BY_DIGEST, deadline="never", cache="none").request("phase2").deadline_seconds is None


def test_words_of_another_version_are_dropped_and_damaged_ones_refused():
    assert ClusterOptions.from_json('{"cpu": "4", "colour": "red"}') == ClusterOptions(cpu="4")
    for damaged in ("", "4", "{", '["ab"'):
        with pytest.raises(RequestError, match="The resources of the run are not known"):
            ClusterOptions.from_json(damaged)


@given(run_ids, words)
def test_a_run_is_found_with_all_that_it_was_given(run_id, said):
    said = said.over(ClusterOptions(image=BY_DIGEST))
    found = from_cluster(found_in(a_job(run_id, said)), run_id)
    assert (found.run_id, found.request, found.words) == (run_id, REQUEST, said)
    assert build_job(make_plan(run_id, resolve(found.request), found.words.request("phase2"), words=found.words)) == (
        a_job(run_id, said)
    )


def test_a_run_by_the_clock_has_the_name_of_its_job():
    job = a_job("abc1", ClusterOptions(image=BY_DIGEST))
    del job["metadata"]["labels"]["phase2.dev/run-id"]
    job["metadata"]["name"] = "phase2-nightly-29400000"
    found = from_cluster(found_in(job), "phase2-nightly-29400000")
    assert (found.run_id, found.request) == ("phase2-nightly-29400000", REQUEST)


def test_a_run_is_found_by_a_unique_beginning_and_by_its_job():
    jobs = found_in(*(a_job(run_id, ClusterOptions(image=BY_DIGEST)) for run_id in ("abc1", "abd2")))
    assert from_cluster(jobs, "abc").run_id == "abc1"
    assert from_cluster(jobs, "phase2-abd").run_id == "abd2"
    assert from_cluster(jobs, "x") is None
    with pytest.raises(RequestError, match=r"'ab' may be any of 2 runs.*abc1, abd2 begin with it"):
        from_cluster(jobs, "ab")


def test_a_run_in_a_folder_of_this_machine_cannot_go_on_in_a_pod(tmp_path):
    run = finished_run(tmp_path, {})
    with pytest.raises(RequestError, match="which a pod does not see"):
        from_store(open_store(str(tmp_path)), run.run_id)


def test_a_run_in_a_bucket_goes_on_in_that_bucket(new_store, minio, tmp_path):
    store = new_store(minio)
    run = finished_run(tmp_path, {})
    for file in run.path.iterdir():
        store.put(f"{run.family}/{run.name}/{file.name}", file)
    found = from_store(store, run.run_id)
    assert found.run_id == run.run_id
    assert found.request == RunRequest(algorithm="cgcnn", level="smoke")
    assert found.words == ClusterOptions(store=store.url)
