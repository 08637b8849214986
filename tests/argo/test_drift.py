"""One table: the manifests say what config/levels.py, the command line and the Job say."""

import re
import subprocess
import sys
from dataclasses import fields

import pytest
import yaml
from hera.workflows import models
from tests.on_cluster.support.argo_installation import argo_installation

from phase2.cluster.manifests.pod import pod_spec
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.levels import ALGORITHMS, LEVELS, PRESETS
from phase2.config.request.options import flag
from phase2.config.request.run_request import RunRequest
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
    if "property" in known:
        assert yaml.safe_load(variables["nine"]) == list(KEYS)
    assert set(known) == {*choices, *lists, *shapes}, "a parameter whose values nobody looks at"
    if "properties" in shapes:
        assert all(re.fullmatch(shapes["properties"], ",".join(KEYS[:count])) for count in range(len(KEYS) + 1))
    assert of_kind("ValidatingAdmissionPolicyBinding")[name]["spec"]["policyName"] == name


OF_A_WORKFLOW = {
    "workflowTemplateRef", "arguments", "entrypoint", "suspend", "shutdown", "activeDeadlineSeconds", "ttlStrategy",
}  # fmt: skip
OF_A_SCHEDULE = {
    "schedules", "timezone", "suspend", "concurrencyPolicy", "startingDeadlineSeconds", "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit", "workflowSpec",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "variable", "allowed", "model"),
    [
        ("phase2-workflows", "foreign", OF_A_WORKFLOW, models.WorkflowSpec),
        ("phase2-cronworkflows", "foreign", OF_A_WORKFLOW, models.WorkflowSpec),
        ("phase2-cronworkflows", "unknown", OF_A_SCHEDULE, models.CronWorkflowSpec),
    ],
)
def test_the_fields_that_people_set_are_a_closed_list(name, variable, allowed, model):
    """A field that Argo gets tomorrow is refused until somebody has thought about it."""
    variables = of_kind("ValidatingAdmissionPolicy")[name]["spec"]["variables"]
    (expression,) = (one["expression"] for one in variables if one["name"] == variable)
    assert set(re.findall(r"'(\w+)'", expression)) == allowed
    assert allowed < {field.alias or name for name, field in model.model_fields.items()}


def test_every_policy_is_bound_to_the_namespace_of_runs():
    policies, bindings = of_kind("ValidatingAdmissionPolicy"), of_kind("ValidatingAdmissionPolicyBinding")
    assert policies.keys() == bindings.keys()
    for name, one in bindings.items():
        assert one["spec"]["policyName"] == name
        assert one["spec"]["validationActions"] == ["Deny"]
        matched = one["spec"]["matchResources"]["namespaceSelector"]["matchLabels"]
        assert matched == {"kubernetes.io/metadata.name": "phase2"}
        assert policies[name]["spec"]["failurePolicy"] == "Fail"


def test_the_component_approves_the_image_of_the_installation(tmp_path):
    made = list(yaml.safe_load_all(argo_installation("registry.example.com:5000/phase2@sha256:" + "0" * 64, tmp_path)))
    for name in ("phase2-workflows", "phase2-cronworkflows"):
        (policy,) = (
            one for one in made if one["kind"] == "ValidatingAdmissionPolicy" and one["metadata"]["name"] == name
        )
        variables = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
        assert variables["approved"] == "['registry.example.com:5000/phase2']"


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
    # The message about a Workflow is its last step's.
    assert theirs.keys() - ours.keys() == {"PHASE2_NOTIFY", "PHASE2_NOTIFY_ON"}
    different = {name for name in theirs.keys() & ours.keys() if theirs[name] != ours[name]}
    # The digest is cut out of the image by the program; threads come from the request, through the downward API.
    assert different == {"PHASE2_IMAGE_DIGEST", "OMP_NUM_THREADS"}
    assert train["args"][0] == main["args"][0] == "train"


def by_name(items):
    return {item["name"]: item for item in items}
