"""A plan as a Workflow: the same run as the plan's Job."""

import re

import pytest
import yaml
from hera.workflows import models

from phase2.cli import main
from phase2.cluster.manifests.pod import pod_spec
from phase2.cluster.manifests.workflow import build_workflow, workflow_parameters
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.quantities import parse_cpu
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.assignments import Setting, settings_of
from phase2.config.combine import combine
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import SOURCE_DIGEST, resolve
from phase2.errors import RequestError

from .manifests import TEMPLATES, parameters_of
from .rendering import render_pod
from .test_shapes import matches, shapes_of

IMAGE = Image.parse(f"registry.example.org/phase2@sha256:{'b' * 64}")
REQUESTS = [
    RunRequest(),
    RunRequest(algorithm="cgcnn", competition=True, all_properties=True),
    RunRequest(algorithm="cgcnn", level="max", epochs=3, lr=7.5e-05, batch_size=9, preset="large", seed=0),
    RunRequest(level="smoke", properties=("band_gap", "bulk_modulus"), max_samples=70, data="sample"),
    RunRequest(level="pro", split="composition", cutoff=6.5, patience=20, balance="famo", precision="bf16"),
    RunRequest(algorithm="cgcnn", level="smoke", backbone="sevennet-0"),
    RunRequest(
        algorithm="cgcnn",
        level="smoke",
        from_="s3://bucket/runs/multitask_cgcnn/run_20261128T090000Z_a1b2c3",
        freeze="backbone",
        new_heads=True,
        settings=(Setting(SOURCE_DIGEST, "ab" * 32),),
    ),
    combine(
        {"algorithm": "cgcnn", "level": "smoke"},
        settings=settings_of(
            {
                "data.fractions": [0.7, 0.2, 0.1],
                "data.max_samples": None,
                "model.width": 96,
                "training.lr": 1e-5,
                "training.loss": "huber",
                "properties": ["band_gap"],
                "seed": 3,
            }.items()
        ),
    ),
]
RICH = ClusterOptions(
    image=IMAGE.reference, cpu="16", memory="64Gi", ephemeral_storage="20Gi", gpus=1, priority="phase2-training",
    queue="research", gpu_resource="nvidia.com/mig-1g.10gb", node_selector=("gpu=h100",),
    toleration=("nvidia.com/gpu=present:NoSchedule", '{"operator": "Exists"}'),
    store="s3://bucket/runs", cache="phase2-data-cache", deadline="1h", max_hours=0,
)  # fmt: skip


def plan_of(request, cluster=None, **options):
    return make_plan("run-1", resolve(request), cluster or ClusterRequest(image=IMAGE), **options)


def rich_plan(request):
    return make_plan("run-1", resolve(request), RICH.request("phase2"), options=RICH)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: " ".join(one.command()[2:]))
@pytest.mark.parametrize("plan", [plan_of, rich_plan], ids=["plain", "rich"])
def test_the_policy_and_argo_s_schema_take_it(request_, plan):
    workflow = build_workflow(plan(request_))
    models.Workflow.model_validate(workflow, extra="forbid")
    given = parameters_of(workflow)
    assert given.keys() <= parameters_of(TEMPLATES["phase2-train"]).keys()
    shapes = shapes_of("phase2-train")
    assert [name for name, value in given.items() if name in shapes and not matches(shapes[name], value)] == []


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: " ".join(one.command()[2:]))
def test_its_pod_trains_what_the_job_trains(request_, monkeypatch, capfd, first_step):
    plan = plan_of(request_)
    assert main([*plan.command[1:], "--dry-run"]) == 0
    expected = capfd.readouterr().out
    pod = render_pod(TEMPLATES["phase2-train"], "train", workflow_parameters(plan), first_step())
    for variable in pod["spec"]["containers"][1]["env"]:
        if re.match(r"PHASE2_(?!CACHE|TERMINATION)", variable["name"]) and "value" in variable:
            monkeypatch.setenv(variable["name"], variable["value"])
    assert main(["train", "--dry-run"]) == 0
    assert capfd.readouterr().out == expected


def test_its_pod_lands_where_the_job_s_pod_lands(first_step):
    plan = rich_plan(RunRequest())
    parameters = workflow_parameters(plan)
    job = pod_spec(plan)
    argo = render_pod(TEMPLATES["phase2-train"], "train", parameters, first_step(parameters | {"store": ""}))["spec"]
    for field in ("nodeSelector", "tolerations", "priorityClassName", "terminationGracePeriodSeconds"):
        assert argo[field] == job[field]
    assert argo["containers"][1]["resources"] == job["containers"][0]["resources"]
    workflow = build_workflow(plan)
    assert workflow["spec"]["activeDeadlineSeconds"] == 3600
    assert workflow["metadata"]["name"] == plan.name
    assert yaml.safe_load(parameters["node-selector"]) == {"gpu": "h100"}


def test_what_was_not_given_is_left_to_the_installation():
    given = ClusterOptions(image=IMAGE.reference, gpus=0)
    complete = given.merged_onto(ClusterOptions(cpu="16", queue="all", node_selector=("pool=cpu",)))
    plan = make_plan("run-1", resolve(RunRequest()), complete.request("phase2"), options=complete, given=given)
    assert workflow_parameters(plan).keys() == {"algorithm", "image", "gpus", "run-name"}


@pytest.mark.parametrize(
    ("cluster", "options", "named"),
    [
        (ClusterRequest(image=IMAGE, retries=1), {}, "--retries"),
        (ClusterRequest(image=IMAGE, cpu_limit=parse_cpu("4")), {}, "--cpu-limit"),
        (ClusterRequest(image=IMAGE, cache="mine"), {}, "--cache"),
        (ClusterRequest(image=IMAGE, checkpoint_minutes=1.0), {}, "--checkpoint-minutes"),
        (ClusterRequest(image=IMAGE), {"accepted": ("code",)}, "--accept-change"),
    ],
)
def test_what_the_template_decides_is_refused_rather_than_forgotten(cluster, options, named):
    with pytest.raises(RequestError, match=named):
        build_workflow(plan_of(RunRequest(), cluster, **options))
