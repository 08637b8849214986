"""Every Job that phase2 can make is accepted by the policies, as a person who submits sends it."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from tests.cluster.conftest import cluster_requests, fitting, run_ids
from tests.cluster.manifests.test_job import requests
from tests.on_cluster.admission.namespaces import CLAIMS, DIGEST, IMAGE, NAMESPACE, transfer

from phase2.cluster.manifests.job import build_job
from phase2.cluster.manifests.packed_sweep import build_packed_sweep
from phase2.cluster.manifests.study import StudyPlan, build_worker_jobs
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.assignments import parse_setting
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve

pytestmark = pytest.mark.cluster

GOLDEN = sorted((Path(__file__).parents[2] / "cluster" / "manifests" / "golden").glob("*.yaml"))

EVERY_OPTION = RunRequest(
    algorithm="cgcnn",
    level="std",
    properties=("band_gap", "bulk_modulus"),
    epochs=3,
    lr=1e-4,
    batch_size=16,
    max_samples=500,
    seed=7,
    data="/work/cache/mine/x.jsonl.gz",
    split="composition",
    cutoff=5.5,
    patience=10,
    balance="uncertainty",
    precision="bf16",
    from_="s3://bucket/runs/cgcnn_std/run_20260101-000000",
    freeze="backbone",
    new_heads=True,
    settings=(parse_setting("model.width=64"), parse_setting(f"fine_tuning.sha256={'a' * 64}")),
)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_the_golden_jobs_are_accepted(alice, file):
    job = yaml.safe_load(file.read_text())
    job["metadata"]["namespace"] = NAMESPACE
    (container,) = job["spec"]["template"]["spec"]["containers"]
    digest = container["image"].partition("@")[2]
    container["image"] = f"{IMAGE}@{digest}" if digest else f"{IMAGE}:1"
    assert alice.create(job) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run_ids, requests, cluster_requests)
def test_the_job_of_every_plan_is_accepted(alice, run_id, request, cluster):
    image = f"{IMAGE}@{cluster.image.digest}" if cluster.image.digest else f"{IMAGE}:1"
    claim = None if cluster.cache is None else CLAIMS[len(cluster.cache) % 2]
    cluster = replace(fitting(cluster, run_id), namespace=NAMESPACE, image=Image.parse(image), cache=claim)
    assert alice.create(build_job(make_plan(run_id, resolve(request), cluster))) is None


def test_a_run_with_every_option_is_accepted(alice):
    cluster = ClusterRequest(
        image=Image.parse(f"{IMAGE}@{DIGEST}"),
        namespace=NAMESPACE,
        cache=CLAIMS[0],
        store="s3://bucket/team",
        checkpoint_minutes=2.5,
        protect_hours=1.5,
        topology_spread=(
            {
                "maxSkew": 1,
                "topologyKey": "zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "phase2"}},
            },
        ),
    )
    plan = make_plan("everything", resolve(EVERY_OPTION), cluster, accepted=("code", "data"))
    assert alice.create(build_job(plan)) is None


def test_the_workers_of_a_study_are_accepted(alice):
    cluster = ClusterRequest(image=Image.parse(f"{IMAGE}@{DIGEST}"), namespace=NAMESPACE)
    plan = StudyPlan(
        study="tune-of-alice",
        run=make_plan("tune-of-alice-0", resolve(RunRequest(algorithm="cgcnn", seed=3)), cluster),
        space=("training.lr=1e-4..1e-2:log", "training.batch_size=16,32", "model.convolutions=2..4"),
        options=(("minimise", "band_gap"), ("pruner", "median"), ("timeout-hours", "8")),
        trials=20,
        workers=3,
    )
    for worker in build_worker_jobs(plan).values():
        assert alice.create(worker) is None


def test_a_packed_sweep_is_accepted(alice):
    cluster = ClusterRequest(
        image=Image.parse(f"{IMAGE}@{DIGEST}"), namespace=NAMESPACE, cache=CLAIMS[0], checkpoint_minutes=2.5
    )
    folds = ",".join(f"kfold:5/{fold}:composition" for fold in range(1, 6))
    request = SweepRequest(
        algorithm="cgcnn",
        properties=("band_gap",),
        data="/work/cache/mine/x.jsonl.gz",
        lists={"level": "smoke", "seed": "1,2", "lr": "1e-3,1e-4", "split": folds},
        settings={"model.width": (32, 64)},
    )
    plans = [make_plan(run.run_id, resolve(run.request), cluster) for run in request.runs("packed-of-alice")]
    assert alice.create(build_packed_sweep("packed-of-alice", request, plans, 4)) is None


@pytest.mark.parametrize(
    "words",
    [
        ("offer", "perovskites-1"),
        ("offer", "e3nn_std__band_gap+bulk_modulus/run_20260101-000000", "--store=s3://bucket/a_b/c.d/"),
        ("part", "family/run_1", "--only=best.pt", "--only=checkpoints/step_1.pt", "--store=s3://bucket"),
    ],
)
def test_jobs_that_hand_runs_out_are_accepted(alice, words):
    assert alice.create(transfer(*words)) is None
