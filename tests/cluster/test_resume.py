"""Resuming a run: its recorded options, and where it is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.conftest import run_ids
from tests.cluster.support.image_names import BY_DIGEST

from phase2.cluster.backends.registry import CLUSTER_BACKENDS
from phase2.cluster.manifests.job import build_job
from phase2.cluster.namespace import SubmittedRun
from phase2.cluster.plan import make_plan
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import DAY
from phase2.cluster.resume import from_cluster, from_store
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.storage.urls import open_store
from phase2.testing.finished_run import finished_run

REQUEST = RunRequest(algorithm="cgcnn", level="lite", properties=("band_gap",))

options = st.builds(
    ClusterOptions,
    image=st.none() | st.just(BY_DIGEST),
    gpus=st.none() | st.integers(0, 1),
    cpu=st.none() | st.just("500m"),
    node_selector=st.none() | st.lists(st.just("gpu=a100"), min_size=1, max_size=1).map(tuple),
    cache=st.none() | st.sampled_from(["none", "claim"]),
    deadline=st.none() | st.sampled_from(["never", "12h"]),
    store=st.none() | st.just("s3://bucket"),
    checkpoint_minutes=st.none() | st.just(2.5),
)


def a_job(run_id, given_options):
    plan = make_plan(run_id, resolve(REQUEST), given_options.request("phase2"), options=given_options)
    return build_job(plan)


def found_in(*jobs):
    return [SubmittedRun(CLUSTER_BACKENDS["job"], job) for job in jobs]


@given(options)
def test_options_survive_serialization(original):
    assert ClusterOptions.from_json(original.to_json()) == original


@given(options, options)
def test_new_options_override_recorded_ones(now, before):
    both = now.merged_onto(before)
    for name in ("image", "gpus", "cpu", "cache", "deadline", "store"):
        new, old = getattr(now, name), getattr(before, name)
        assert getattr(both, name) == (old if new is None else new)


def test_options_that_were_not_given_have_defaults():
    asked = ClusterOptions(image=BY_DIGEST).request("phase2")
    assert (asked.cpu.text, asked.memory.text, asked.gpus, asked.cache, asked.retries) == ("2", "8Gi", 0, None, 6)
    assert asked.deadline_seconds == 7 * DAY
    assert ClusterOptions(image=BY_DIGEST, deadline="never", cache="none").request("phase2").deadline_seconds is None


def test_options_of_another_version_are_ignored_and_damaged_ones_refused():
    assert ClusterOptions.from_json('{"cpu": "4", "colour": "red"}') == ClusterOptions(cpu="4")
    for damaged in ("", "4", "{", '["ab"'):
        with pytest.raises(RequestError, match="The resources of the run are not known"):
            ClusterOptions.from_json(damaged)


@given(run_ids, options)
def test_a_run_is_found_with_its_request_and_options(run_id, submitted):
    submitted = submitted.merged_onto(ClusterOptions(image=BY_DIGEST))
    found = from_cluster(found_in(a_job(run_id, submitted)), run_id)
    assert (found.run_id, found.request, found.options) == (run_id, REQUEST, submitted)
    plan = make_plan(run_id, resolve(found.request), found.options.request("phase2"), options=found.options)
    assert build_job(plan) == a_job(run_id, submitted)


def test_a_run_of_a_cron_job_has_the_name_of_its_job():
    job = a_job("abc1", ClusterOptions(image=BY_DIGEST))
    del job["metadata"]["labels"]["phase2.dev/run-id"]
    job["metadata"]["name"] = "phase2-nightly-29400000"
    found = from_cluster(found_in(job), "phase2-nightly-29400000")
    assert (found.run_id, found.request) == ("phase2-nightly-29400000", REQUEST)


def test_a_run_is_found_by_a_unique_prefix_and_by_its_job():
    jobs = found_in(*(a_job(run_id, ClusterOptions(image=BY_DIGEST)) for run_id in ("abc1", "abd2")))
    assert from_cluster(jobs, "abc").run_id == "abc1"
    assert from_cluster(jobs, "phase2-abd").run_id == "abd2"
    assert from_cluster(jobs, "x") is None
    with pytest.raises(RequestError, match=r"'ab' may be any of 2 runs.*abc1, abd2 begin with it"):
        from_cluster(jobs, "ab")


def test_a_run_in_a_local_folder_cannot_be_resumed_in_a_pod(tmp_path):
    run = finished_run(tmp_path, {})
    with pytest.raises(RequestError, match="which a pod does not see"):
        from_store(open_store(str(tmp_path)), run.run_id)


def test_a_run_in_a_bucket_is_resumed_in_that_bucket(new_store, minio, tmp_path):
    store = new_store(minio)
    run = finished_run(tmp_path, {})
    for file in run.path.iterdir():
        store.put(f"{run.family}/{run.name}/{file.name}", file)
    found = from_store(store, run.run_id)
    assert found.run_id == run.run_id
    assert found.request == RunRequest(algorithm="cgcnn", level="smoke")
    assert found.options == ClusterOptions(store=store.url)
