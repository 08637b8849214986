"""The pods that the templates become: as they were agreed on, and admitted where Pod Security is ``restricted``."""

import os
from pathlib import Path

import pytest
import yaml

from phase2.cluster.manifests.group import SERVICE
from phase2.cluster.manifests.patch import PodPatches
from phase2.cluster.manifests.workflow import CONTAINER, FIRST_STEP, OTHERS_STEP
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.errors import RequestError

from .manifests import ROOT, TEMPLATES, container_templates
from .rendering import render_pod

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "PHASE2_UPDATE_GOLDEN"

PARAMETERS = {"structures": "s3://phase2/structures", "image": f"localhost:5000/phase2@sha256:{'a' * 64}"}
INPUTS = {
    "run-id": "phase2-abcde-3", "level": "lite", "seed": "2", "epochs": "", "lr": "1e-3", "batch-size": "",
    "preset": "", "max-samples": "", "split": "", "set": "training.patience=9", "rows": "[]",
    "runs": "run-1 run-2", "part": "1", "parts": "4",
}  # fmt: skip
PATCHES = PodPatches.of(ClusterRequest(image=Image.parse("phase2:1")))
TOGETHER = PodPatches.of(ClusterRequest(image=Image.parse("phase2:1"), nodes=2), workflow="phase2-abcde")


def inputs_of(step):
    """What the steps before give, and what the first step finds for the pods of a run that asks for nothing."""
    if step in {FIRST_STEP, OTHERS_STEP}:
        found = TOGETHER.parameters()
        others = {"rank": "1", "pod": found["other-pod"], "retry-pod": found["other-retry-pod"]}
        return found | (others if step == OTHERS_STEP else {})
    found = PATCHES.parameters()
    return INPUTS | found | ({} if step in ("train", "work") else {"pod": found["prepare-pod"]})


PODS = {f"{name}-{step}": (name, step) for name in TEMPLATES for step in container_templates(TEMPLATES[name])}
SAFE_VOLUMES = {
    "configMap",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "csi",
}


def pod_of(name, **parameters):
    template, step = PODS[name]
    known = {one["name"] for one in TEMPLATES[template]["spec"]["arguments"]["parameters"]}
    given = {key: word for key, word in (PARAMETERS | parameters).items() if key in known}
    return render_pod(TEMPLATES[template], step, given, inputs_of(step))


@pytest.mark.parametrize("name", PODS)
def test_pods_are_the_golden_ones(name):
    path, made = GOLDEN / f"{name}.yaml", pod_of(name)
    if os.environ.get(UPDATE):
        path.write_text(yaml.safe_dump(made, sort_keys=False, width=120))
    assert made == yaml.safe_load(path.read_text()), f"set {UPDATE}=1 where this is meant, and read the difference"


def test_no_golden_pod_is_left_over():
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == PODS.keys()


@pytest.mark.parametrize("name", PODS)
def test_restricted_pod_security_admits_every_container(name):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards, for init and wait as for main."""
    spec = pod_of(name)["spec"]
    whole = spec["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert whole["runAsUser"] > 0
    assert whole["seccompProfile"]["type"] == "RuntimeDefault"
    for volume in spec["volumes"]:
        assert set(volume) - {"name"} <= SAFE_VOLUMES
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    containers = spec["initContainers"] + spec["containers"]
    assert [one["name"] for one in containers] == ["init", "wait", "main"]
    for one in containers:
        own = one["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not own.get("privileged")
        assert own.get("runAsUser", 1) > 0
        assert {"requests", "limits"} <= one["resources"].keys()
        assert "hostPort" not in str(one.get("ports", ""))
    assert spec["automountServiceAccountToken"] is False


ASKED = {
    "cpu": "8", "memory": "64Gi", "gpus": "1", "priority": "phase2-training", "queue": "research",
    "node-selector": '{"gpu": "h100"}', "ephemeral-storage": "20Gi", "gpu-resource": "nvidia.com/mig-1g.10gb",
    "tolerations": '[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]',
}  # fmt: skip


def train_pod(found, retries=0):
    return render_pod(TEMPLATES["phase2-train"], "train", inputs=found, retries=retries)


def test_the_training_pod_gets_what_was_asked_for(first_step):
    pod = train_pod(first_step(ASKED))
    main = pod["spec"]["containers"][1]
    assert main["resources"] == {
        "requests": {"cpu": "8", "memory": "64Gi", "ephemeral-storage": "20Gi", "nvidia.com/mig-1g.10gb": "1"},
        "limits": {"memory": "64Gi", "ephemeral-storage": "20Gi", "nvidia.com/mig-1g.10gb": "1"},
    }
    assert pod["spec"]["priorityClassName"] == "phase2-training"
    assert pod["spec"]["nodeSelector"] == {"gpu": "h100"}
    assert pod["spec"]["tolerations"][0]["key"] == "nvidia.com/gpu"
    assert pod["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "research"


INSTALLATION = {
    "defaults": """
      all:
        all: {cpu: "4", memory: 16Gi, nodeSelector: {pool: cpu}}
        pro: {gpus: 1, gpuResource: nvidia.com/mig-1g.10gb, nodeSelector: {pool: gpu}, queue: gpus}
      cgcnn:
        pro: {gpus: 0, affinity: {nodeAffinity: {}}, topologySpreadConstraints: [{maxSkew: 1}]}
    """
}


@pytest.mark.parametrize(
    ("parameters", "gpus", "pool", "queue"),
    [
        ({"level": "lite"}, None, "cpu", ""),
        ({"level": "pro"}, "1", "gpu", "gpus"),
        ({"level": "pro", "gpus": "0", "max-hours": "0"}, None, "gpu", "gpus"),
        ({"level": "pro", "node-selector": "{}", "queue": "mine"}, "1", None, "mine"),
        ({"level": "pro", "algorithm": "cgcnn"}, None, "gpu", "gpus"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, dict) else "",
)
def test_a_training_that_asks_for_nothing_gets_what_the_installation_says(parameters, gpus, pool, queue, first_step):
    pod = train_pod(first_step(parameters, INSTALLATION))
    resources = pod["spec"]["containers"][1]["resources"]
    assert resources["requests"]["cpu"] == "4"
    assert resources["limits"]["memory"] == "16Gi"
    assert resources["limits"].get("nvidia.com/mig-1g.10gb") == gpus
    assert pod["spec"].get("nodeSelector", {}).get("pool") == pool
    assert pod["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == queue
    assert ("affinity" in pod["spec"]) is ("topologySpreadConstraints" in pod["spec"]) is ("algorithm" in parameters)


GROUPED = {"defaults": 'all: {all: {cpu: "4", memory: 16Gi, maxNodes: 3}}'}
(SERVICE_OBJECT, *_) = yaml.safe_load_all((ROOT / "k8s" / "base" / "group.yaml").read_text())
GROUP_SERVICE = SERVICE_OBJECT["spec"]["selector"]


def test_the_preparation_runs_where_the_training_will(first_step):
    found = first_step({"level": "pro"}, INSTALLATION)
    prepare = render_pod(TEMPLATES["phase2-train"], "prepare", inputs={"pod": found["prepare-pod"]})["spec"]
    train = train_pod(found)["spec"]
    assert prepare["nodeSelector"] == train["nodeSelector"]
    assert "nvidia.com/mig-1g.10gb" not in str(prepare["containers"])
    with_claim = {
        name
        for name in container_templates(TEMPLATES["phase2-train"])
        if "phase2-data-cache" in str(pod_of(f"phase2-train-{name}"))
    }
    assert with_claim == {"prepare", "train", FIRST_STEP, OTHERS_STEP}, (
        "a claim of one node goes to the node of the first pod that has it"
    )


def test_several_pods_get_what_one_would_get_and_meet_at_the_first(first_step):
    found = first_step({"level": "pro", "nodes": "3", "gpus": "1"}, GROUPED)
    assert (found["nodes"], found["other-nodes"]) == ("3", "2")
    inputs = {name: found[name] for name in ("pod", "retry-pod")}
    first = render_pod(TEMPLATES["phase2-train"], FIRST_STEP, inputs=inputs)
    inputs = {"rank": "2", **{name: found[f"other-{name}"] for name in ("pod", "retry-pod")}}
    other = render_pod(TEMPLATES["phase2-train"], OTHERS_STEP, inputs=inputs)
    name = first["spec"].pop("hostname")
    assert first["spec"].pop("subdomain") == SERVICE
    for pod, rank in ((first, "0"), (other, "2")):
        (main,) = (one for one in pod["spec"]["containers"] if one["name"] == CONTAINER)
        given = {one["name"]: one.get("value") for one in main["env"]}
        assert given["PET_MASTER_ADDR"] == f"{name}.{SERVICE}"
        assert (given["PET_NNODES"], given["PET_NODE_RANK"], given["PHASE2_GPUS"]) == ("3", rank, "1")
        assert given["PHASE2_STAY"] == "1"
        assert main["resources"]["limits"]["nvidia.com/gpu"] == "1"
        assert pod["metadata"]["labels"] | GROUP_SERVICE == pod["metadata"]["labels"]
        assert pod["metadata"]["labels"]["phase2.dev/rank"] == rank
        main["env"] = [one for one in main["env"] if one["name"] != "PET_NODE_RANK"]
    assert first["spec"] == other["spec"]


@pytest.mark.parametrize(
    ("more", "workflow", "told"),
    [
        ({"queue": "research"}, "phase2-abc", "cannot wait in the queue research"),
        ({}, "phase2.abc", "lower-case letters, digits and hyphens"),
        ({}, "", "lower-case letters, digits and hyphens"),
        ({}, "a" * 62, "63 characters at most"),
    ],
    ids=["a queue", "a dot", "no workflow", "a long name"],
)
def test_pods_that_could_not_meet_are_refused(more, workflow, told):
    with pytest.raises(RequestError, match=told):
        PodPatches.of(ClusterRequest(image=Image.parse("phase2:1"), nodes=2, **more), workflow=workflow)


def test_each_run_of_a_sweep_gets_what_its_level_gets(first_step):
    runs = first_step({"level": "lite,pro"}, INSTALLATION, template="phase2-sweep")["runs"]
    assert ["mig-1g.10gb" in str(run["pod"]) for run in runs] == [False, True]
    assert [run["queue"] for run in runs] == ["", "gpus"]


@pytest.mark.parametrize(
    ("retries", "more", "given"),
    [(0, "", "8Gi"), (0, "32Gi", "8Gi"), (1, "", "8Gi"), (1, "32Gi", "32Gi"), (5, "32Gi", "32Gi")],
)
def test_further_attempts_get_more_memory_where_that_was_said(retries, more, given, first_step):
    found = first_step({"memory": "8Gi", "retry-memory": more})
    main = train_pod(found, retries)["spec"]["containers"][1]
    assert main["resources"]["limits"]["memory"] == given
    assert main["resources"]["requests"]["memory"] == given


def test_a_value_with_a_line_break_changes_no_other_field_of_the_pod(first_step):
    """The first step makes JSON of values, which no text can leave; the policies hold them to shapes besides."""
    with pytest.raises(AssertionError):
        first_step({"priority": 'x"\nhostNetwork: true\n#'})
