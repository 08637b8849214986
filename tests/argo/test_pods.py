"""The pods that the templates become: as they were agreed on, and admitted where Pod Security is ``restricted``."""

import os
from pathlib import Path

import pytest
import yaml

from .manifests import TEMPLATES, container_templates
from .rendering import render_pod

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "PHASE2_UPDATE_GOLDEN"

PARAMETERS = {"structures": "s3://phase2/structures", "image": f"localhost:5000/phase2@sha256:{'a' * 64}"}
INPUTS = {
    "run-id": "phase2-abcde-3", "level": "lite", "seed": "2", "epochs": "", "lr": "1e-3", "batch-size": "",
    "preset": "", "max-samples": "", "set": "training.patience=9", "rows": "[]",
    "runs": "run-1 run-2", "part": "1", "parts": "4",
}  # fmt: skip
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
    return render_pod(TEMPLATES[template], step, given, INPUTS)


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


def test_the_training_pod_gets_what_was_asked_for():
    asked = {
        "cpu": "8", "memory": "64Gi", "gpus": "1", "priority": "phase2-training", "queue": "research",
        "node-selector": '{"gpu": "h100"}',
        "tolerations": '[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]',
    }  # fmt: skip
    pod = pod_of("phase2-train-train", **asked)
    main = pod["spec"]["containers"][1]
    assert main["resources"] == {
        "requests": {"cpu": "8", "memory": "64Gi"},
        "limits": {"memory": "64Gi", "nvidia.com/gpu": "1"},
    }
    assert pod["spec"]["priorityClassName"] == "phase2-training"
    assert pod["spec"]["nodeSelector"] == {"gpu": "h100"}
    assert pod["spec"]["tolerations"][0]["key"] == "nvidia.com/gpu"
    assert pod["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "research"


@pytest.mark.parametrize(
    ("retries", "more", "given"),
    [(0, "", "8Gi"), (0, "32Gi", "8Gi"), (1, "", "8Gi"), (1, "32Gi", "32Gi"), (5, "32Gi", "32Gi")],
)
def test_further_attempts_get_more_memory_where_that_was_said(retries, more, given):
    asked = {"memory": "8Gi", "retry-memory": more}
    main = render_pod(TEMPLATES["phase2-train"], "train", asked, retries=retries)["spec"]["containers"][1]
    assert main["resources"]["limits"]["memory"] == given
    assert main["resources"]["requests"]["memory"] == given


def test_a_value_with_a_line_break_would_reach_the_pod_which_is_why_policies_have_shapes():
    pod = pod_of("phase2-train-train", priority='x"\nhostNetwork: true\n#')
    assert pod["spec"]["hostNetwork"] is True
