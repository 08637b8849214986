"""One table: the manifests say what config/levels.py, the command line and the Job say."""

import re
import subprocess
import sys
from dataclasses import fields

import pytest
import yaml
from hera.workflows import models

from phase2.cluster.manifests.pod import pod_spec
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.levels import ALGORITHMS, LEVELS, PRESETS
from phase2.config.request import RunRequest, flag
from phase2.config.resolve import resolve
from phase2.properties import KEYS

from .manifests import ROOT, TEMPLATES, of_kind, parameters_of
from .rendering import render_pod

ISSUED = (
    "algorithm level competition all-properties properties resume epochs lr batch-size preset max-samples seed data "
    "image run-name store gpus cpu memory queue priority"
)


def test_the_files_are_those_that_the_table_makes():
    words = [sys.executable, "-m", "tools.manifests.argo", "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_check_notices_another_level(tmp_path):
    """The check would be worth nothing if the manifests did not come from the table."""
    program = (
        "import phase2.config.levels as levels; "
        "levels.LEVELS = (*levels.LEVELS, 'huge'); "
        "from tools.manifests.argo.files import files; import pathlib; "
        "there = {n: pathlib.Path('argo', n).read_text() for n in files()}; "
        "print(sorted(n for n, text in files().items() if text != there[n]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "templates/phase2-train.yaml" in done.stdout
    assert "cluster/admission-policy.yaml" in done.stdout


def enums(template):
    return {one["name"]: one["enum"] for one in template["spec"]["arguments"]["parameters"] if "enum" in one}


def test_enums_are_the_levels_table():
    closed = enums(TEMPLATES["phase2-train"])
    assert closed["level"] == ["", *LEVELS]
    assert closed["algorithm"] == ["", *ALGORITHMS]
    assert closed["preset"] == ["", *PRESETS]
    assert closed["competition"] == closed["all-properties"] == ["", "true", "false"]


def test_every_field_of_a_request_is_a_parameter():
    asked = {flag(one.name).removeprefix("--") for one in fields(RunRequest)} - {"output", "settings", "origins"}
    assert asked | {"set"} <= parameters_of(TEMPLATES["phase2-train"]).keys()
    assert set(ISSUED.split()) <= parameters_of(TEMPLATES["phase2-train"]).keys()


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_policy_knows_the_parameters_and_the_values(name):
    variables = {
        one["name"]: one["expression"] for one in of_kind("ValidatingAdmissionPolicy")[name]["spec"]["variables"]
    }
    # CEL's literals of strings, lists and maps are those of YAML's flow style.
    known, choices = yaml.safe_load(variables["known"]), yaml.safe_load(variables["choices"])
    lists, shapes = yaml.safe_load(variables["lists"]), yaml.safe_load(variables["shapes"])
    assert known == list(parameters_of(TEMPLATES[name]))
    assert choices == enums(TEMPLATES[name])
    assert set(known) == {*choices, *lists, *shapes}, "a parameter whose values nobody looks at"
    if "properties" in lists:
        assert lists["properties"] == list(KEYS)
    assert of_kind("ValidatingAdmissionPolicyBinding")[name]["spec"]["policyName"] == name


ALLOWED = {
    "workflowTemplateRef", "arguments", "suspend", "shutdown", "activeDeadlineSeconds", "priority", "ttlStrategy",
    "podGC", "volumeClaimGC", "archiveLogs", "workflowMetadata", "metrics", "artifactGC",
}  # fmt: skip


@pytest.mark.parametrize(
    "policy", of_kind("ValidatingAdmissionPolicy").values(), ids=lambda one: one["metadata"]["name"]
)
def test_a_field_of_a_workflow_is_allowed_or_forbidden_and_none_is_forgotten(policy):
    rules = " ".join(rule["expression"] for rule in policy["spec"]["validations"])
    forbidden = set(re.findall(r"!has\(object\.spec\.(\w+)\)", rules)) | {"entrypoint"}
    known = {field.alias or name for name, field in models.WorkflowSpec.model_fields.items()}
    assert forbidden.isdisjoint(ALLOWED)
    assert forbidden | ALLOWED == known


def test_the_pod_is_that_of_the_job(first_step):
    """Where a run is trained changes nothing else: identity, security, volumes and environment are the plan's."""
    image = f"localhost:5000/phase2@sha256:{'a' * 64}"
    cluster = ClusterRequest(image=Image.parse(image), cache="phase2-data-cache")
    job = pod_spec(make_plan("run-1", resolve(RunRequest()), cluster))
    argo = render_pod(TEMPLATES["phase2-train"], "train", {"image": image, "run-name": "run-1"}, first_step())["spec"]
    main = next(one for one in argo["containers"] if one["name"] == "main")
    (train,) = job["containers"]
    for field in (
        "serviceAccountName",
        "automountServiceAccountToken",
        "securityContext",
        "terminationGracePeriodSeconds",
    ):
        assert argo[field] == job[field]
    assert by_name(argo["volumes"]).keys() - by_name(job["volumes"]).keys() == {"installation"}
    assert by_name(job["volumes"]).items() <= by_name(argo["volumes"]).items()
    for field in ("image", "imagePullPolicy", "workingDir", "securityContext", "envFrom", "terminationMessagePolicy"):
        assert main[field] == train[field]
    assert by_name(train["volumeMounts"]).items() <= by_name(main["volumeMounts"]).items()
    assert main["resources"] == train["resources"]
    theirs, ours = by_name(train["env"]), by_name(main["env"])
    assert theirs.keys() <= ours.keys()
    different = {name for name in theirs if theirs[name] != ours[name]}
    # The digest is cut out of the image by the program; threads come from the request, through the downward API.
    assert different == {"PHASE2_IMAGE_DIGEST", "OMP_NUM_THREADS"}
    assert train["args"][0] == main["args"][0] == "train"


def by_name(items):
    return {item["name"]: item for item in items}
