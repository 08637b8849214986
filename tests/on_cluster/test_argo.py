"""Argo's manifests on a real API server: strict validation, and the admission policies."""

import copy
import json
import time

import pytest
import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from tests.argo.manifests import ARGO, documents, of_kind
from tests.argo.test_pods import PODS, pod_of
from tests.on_cluster.lab.services.argo_crds import GROUP, VERSION, install, remove

from phase2.cluster.manifests.sweep import build_sweep
from phase2.cluster.manifests.workflow import build_workflow
from phase2.cluster.plan import make_plan
from phase2.cluster.request.options import ClusterOptions
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve

pytestmark = [pytest.mark.cluster, pytest.mark.argo]

THIN = {path.name: documents(path)[0] for path in ARGO.glob("phase2*.yaml")}


@pytest.fixture(scope="module")
def argo(cluster):
    """Cluster with Argo's kinds and everything of the folder argo, with the policies in force."""
    install(cluster)
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", "-k", str(ARGO))
    _await_policies(cluster)
    yield cluster
    cluster.kubectl("delete", "--ignore-not-found", "-k", str(ARGO))
    remove(cluster)


def _await_policies(cluster):
    """Wait until the policies are in force, which only their first decision shows."""
    deadline = time.monotonic() + 30
    waiting = dict(THIN)
    while waiting:
        waiting = {name: one for name, one in waiting.items() if create(cluster, changed(one, {"hurz": "1"}))[0]}
        if time.monotonic() > deadline:
            raise TimeoutError(f"No policy answers for {', '.join(waiting)}.")
        time.sleep(0.2)


def changed(workflow, parameters, **spec):
    """Return a Workflow with parameters as ``argo submit -p`` sets them, and further fields of its spec."""
    made = copy.deepcopy(workflow)
    if parameters:
        made["spec"]["arguments"] = {"parameters": [{"name": k, "value": v} for k, v in parameters.items()]}
    made["spec"].update(spec)
    return made


def create(cluster, workflow, plural="workflows"):
    """Ask the API server to create a Workflow, or an object of another kind; nothing is stored.

    Returns:
        Whether it would, and what it says.
    """
    try:
        client.CustomObjectsApi(cluster.api).create_namespaced_custom_object(
            GROUP, VERSION, "phase2", plural, workflow, dry_run="All", field_validation="Strict"
        )
    except ApiException as error:
        return False, json.loads(error.body)["message"]
    return True, ""


def test_the_workflows_of_the_client_are_accepted(argo):
    """Policies accept a plan and a sweep with every option."""
    options = ClusterOptions(
        image=DIGEST, gpus=1, cpu="2.5", memory="64Gi", queue="research", priority="phase2-training",
        node_selector=("gpu=h100",), toleration=("gpu=present:NoSchedule",), deadline="12h", store="s3://bucket/runs",
    )  # fmt: skip
    words = options.request("phase2")
    asked = RunRequest(algorithm="cgcnn", level="std", properties=("band_gap",), lr=7.5e-05, seed=0, preset="large")
    listed = SweepRequest(algorithm="cgcnn", lists={"level": "smoke, lite", "seed": "1,2", "lr": "1e-3,5e-4"})
    plan = make_plan("a", resolve(asked), words, options=options)
    for workflow in (build_workflow(plan), build_sweep("b", listed, words, options)):
        accepted, response = create(argo, workflow)
        assert accepted, response


STRUCTURES = {"structures": "s3://phase2/structures"}
DIGEST = f"phase2@sha256:{'0' * 64}"
ACCEPTED = [
    ("phase2.yaml", {}),
    ("phase2.yaml", {"level": "pro"}),
    ("phase2.yaml", {"algorithm": "cgcnn", "competition": "true"}),
    ("phase2.yaml", {"algorithm": ""}),
    ("phase2.yaml", {"all-properties": "true"}),
    ("phase2.yaml", {"properties": "band_gap, formation_energy"}),
    ("phase2.yaml", {"resume": "4f1c2a"}),
    ("phase2.yaml", {"epochs": "3", "lr": "1e-3", "batch-size": "8", "seed": "7", "max-samples": "100"}),
    ("phase2.yaml", {"algorithm": "cgcnn", "preset": "small", "data": "jarvis-dft3d", "run-name": "mine"}),
    ("phase2.yaml", {"image": DIGEST, "store": "s3://bucket/pre", "queue": "research", "priority": "phase2-training"}),
    ("phase2.yaml", {"gpus": "8"}),
    ("phase2.yaml", {"gpus": "1", "cpu": "500m", "memory": "512Mi", "node-selector": '{"gpu": "h100"}'}),
    ("phase2.yaml", {"memory": "8Gi", "retry-memory": "32Gi"}),
    ("phase2.yaml", {"tolerations": '[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]'}),
    ("phase2.yaml", {"from": "s3://bucket/pre/multitask_cgcnn/run_20261128T090000Z_a1", "freeze": "backbone"}),
    ("phase2.yaml", {"from": "s3://bucket/run_1", "new-heads": "true", "set": f"fine_tuning.sha256={'0' * 64}"}),
    ("phase2.yaml", {"algorithm": "cgcnn", "backbone": "sevennet-0"}),
    ("phase2-sweep.yaml", {"level": "smoke,lite", "seed": "1,2,3", "lr": "1e-3,5e-4"}),
    ("phase2-tune.yaml", {"over": "training.lr=1e-4..1e-2:log; model.width=8,16", "trials": "9", "workers": "3"}),
    ("phase2-tune.yaml", {"study": "mine", "minimise": "band_gap", "pruner": "none", "timeout-hours": "1.5"}),
    ("phase2-predict.yaml", STRUCTURES),
    ("phase2-ensemble.yaml", STRUCTURES | {"seed": "1,2", "level": "lite"}),
]
REFUSED = [
    ("phase2.yaml", {"epocs": "3"}, "unknown parameter epocs; known: algorithm, level"),
    ("phase2.yaml", {"level": "huge"}, "level=huge: choose one of smoke, lite, std, pro, max"),
    ("phase2.yaml", {"level": "smoke,lite"}, "level=smoke,lite: choose one of"),
    ("phase2.yaml", {"algorithm": "gcn"}, "algorithm=gcn: choose one of e3nn, cgcnn"),
    ("phase2.yaml", {"competition": "yes"}, "competition=yes: choose one of true, false"),
    ("phase2.yaml", {"level": "pro", "competition": "true"}, "competition=true and level exclude each other"),
    ("phase2.yaml", {"all-properties": "true", "properties": "band_gap"}, "all-properties=true and properties exclude"),
    ("phase2.yaml", {"properties": "band_gap,Colour"}, "properties=band_gap,Colour: must match"),
    ("phase2.yaml", {"preset": "huge"}, "preset=huge: choose one of small, medium, large"),
    ("phase2.yaml", {"epochs": "many"}, "epochs=many: must match"),
    ("phase2.yaml", {"lr": "fast"}, "lr=fast: must match"),
    ("phase2.yaml", {"cpu": "two"}, "cpu=two: must match"),
    ("phase2.yaml", {"max-hours": "-1"}, "max-hours=-1: must match"),
    ("phase2.yaml", {"gpu-resource": "gpu"}, "gpu-resource=gpu: must match"),
    ("phase2.yaml", {"gpu-resource": "smarter-devices/fuse"}, "no GPU that the administrator names"),
    ("phase2.yaml", {"memory": "8 GB"}, "memory=8 GB: must match"),
    ("phase2.yaml", {"retry-memory": "more"}, "retry-memory=more: must match"),
    ("phase2.yaml", {"gpus": "-1"}, "gpus=-1: must match"),
    ("phase2.yaml", {"gpus": "17"}, "gpus=17: must match"),
    ("phase2.yaml", {"priority": 'x"\nhostNetwork: true\n#'}, "priority=x"),
    ("phase2.yaml", {"node-selector": '{"a": "b"}\nhostAliases: []'}, "node-selector="),
    ("phase2.yaml", {"store": "s3://key:word@bucket"}, "store=s3://key:word@bucket: must match"),
    ("phase2.yaml", {"image": "phase2:1 --privileged"}, "image=phase2:1 --privileged: must match"),
    ("phase2.yaml", {"from": "latest"}, "from=latest: must match"),
    ("phase2.yaml", {"from": "s3://bucket/run_1 --output /tmp"}, "from=s3://bucket/run_1 --output /tmp: must match"),
    ("phase2.yaml", {"freeze": "heads"}, "freeze=heads: choose one of backbone, none"),
    ("phase2.yaml", {"backbone": "sevennet"}, "backbone=sevennet: choose one of sevennet-0, sevennet-l3i5, chgnet"),
    ("phase2-sweep.yaml", {"level": "smoke,huge"}, "level=smoke,huge: only smoke, lite, std, pro, max"),
    ("phase2-sweep.yaml", {"seed": "1,x"}, "seed=1,x: must match"),
    ("phase2-sweep.yaml", {"competition": "true"}, "unknown parameter competition"),
    ("phase2-tune.yaml", {"over": "training.lr"}, "over=training.lr: must match"),
    ("phase2-tune.yaml", {"pruner": "best"}, "pruner=best: choose one of median, hyperband, none"),
    ("phase2-tune.yaml", {"workers": "0"}, "workers=0: must match"),
    ("phase2-predict.yaml", {"structures": ""}, "structures=: must match"),
    ("phase2-predict.yaml", {"structures": "/etc"}, "structures=/etc: must match"),
    ("phase2-ensemble.yaml", STRUCTURES | {"parts": "0"}, "parts=0: must match"),
]
FIELDS = [
    {"podSpecPatch": "hostNetwork: true"},
    {"serviceAccountName": "default"},
    {"templates": [{"name": "own", "container": {"image": "busybox"}}]},
    {"entrypoint": "train"},
    {"onExit": "report"},
    {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
    {"securityContext": {"runAsUser": 0}},
    {"executor": {"serviceAccountName": "default"}},
    {"hooks": {"exit": {"template": "report"}}},
    {"templateDefaults": {"container": {"image": "busybox"}}},
    {"automountServiceAccountToken": True},
    {"hostNetwork": True},
    {"nodeSelector": {"a": "b"}},
]


def case(one):
    return " ".join([one[0], *(f"{name}={value!r}" for name, value in one[1].items())])


@pytest.mark.parametrize("one", ACCEPTED, ids=case)
def test_workflows_of_users_are_accepted(argo, one):
    file, parameters = one
    accepted, response = create(argo, changed(THIN[file], parameters))
    assert accepted, response


@pytest.mark.parametrize("one", REFUSED, ids=case)
def test_invalid_workflows_are_refused_with_the_reason(argo, one):
    file, parameters, reason = one
    accepted, response = create(argo, changed(THIN[file], parameters))
    assert not accepted
    assert reason in response


@pytest.mark.parametrize("spec", FIELDS, ids=lambda spec: next(iter(spec)))
def test_a_workflow_sets_arguments_only(argo, spec):
    """Also where the API server knows the types of Argo's fields; the whole table is in ``test_argo_admission.py``."""
    accepted, response = create(argo, changed(THIN["phase2.yaml"], {}, **spec))
    assert not accepted
    assert "the entrypoint is main" in response if "entrypoint" in spec else f"leave out {next(iter(spec))}" in response


def test_the_server_refuses_a_field_that_argo_does_not_have(argo):
    template = copy.deepcopy(of_kind("WorkflowTemplate")["phase2-train"])
    template["spec"]["podDisruptionBudgets"] = {"minAvailable": 1}
    done = argo.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(template), check=False
    )
    assert done.returncode != 0
    assert "podDisruptionBudgets" in done.stderr


@pytest.mark.parametrize("name", of_kind("CronWorkflow"))
def test_schedules_are_accepted_and_their_values_checked(argo, name):
    """Argo creates such a Workflow on a schedule, when nobody sees a rejection."""
    schedule = copy.deepcopy(of_kind("CronWorkflow")[name])
    schedule["metadata"] = {"generateName": "x-", "namespace": "phase2"}
    accepted, response = create(argo, schedule, "cronworkflows")
    assert accepted, response
    schedule["spec"]["workflowSpec"]["arguments"] = {"parameters": [{"name": "hurz", "value": "1"}]}
    accepted, response = create(argo, schedule, "cronworkflows")
    assert "unknown parameter hurz" in response


def admit(cluster, pod):
    """Validate the creation of a pod by the API server; nothing is stored."""
    try:
        cluster.core.create_namespaced_pod("phase2", pod, dry_run="All", field_validation="Strict")
    except ApiException as error:
        return json.loads(error.body)["message"]
    return ""


@pytest.mark.parametrize("name", PODS)
def test_restricted_pod_security_admits_the_pod_with_argo_s_own_containers(argo, name):
    assert admit(argo, pod_of(name)) == ""


def test_it_would_not_without_the_patch_of_argo_s_own_containers(argo):
    pod = pod_of("phase2-train-train")
    del pod["spec"]["containers"][0]["securityContext"]
    assert "violates PodSecurity" in admit(argo, pod)


def test_the_executor_may_only_report(argo):
    def may(verb, resource):
        group = resource.partition(".")[2]
        asked = client.V1ResourceAttributes(
            namespace="phase2", verb=verb, group=group, resource=resource.partition(".")[0]
        )
        who = "system:serviceaccount:phase2:phase2-executor"
        review = client.V1SubjectAccessReview(
            spec=client.V1SubjectAccessReviewSpec(user=who, resource_attributes=asked)
        )
        return client.AuthorizationV1Api(argo.api).create_subject_access_review(review).status.allowed

    assert may("create", "workflowtaskresults.argoproj.io")
    assert may("patch", "workflowtaskresults.argoproj.io")
    for verb, resource in (("get", "secrets"), ("create", "pods"), ("get", "pods"), ("patch", "workflows.argoproj.io")):
        assert not may(verb, resource)


def test_the_executor_gets_its_token(argo):
    """Argo looks the Secret up by this name; Kubernetes fills it in only where the account is right."""
    name = "phase2-executor.service-account-token"
    argo.kubectl("-n", "phase2", "wait", "--for=jsonpath={.data.token}", "--timeout=30s", f"secret/{name}")
