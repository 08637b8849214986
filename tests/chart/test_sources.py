"""One source: the chart installs what kustomize, Argo's folder and ``phase2 submit`` have, but for what values say."""

import re
import subprocess
import sys

import pytest
import yaml

from phase2.cluster.manifests.pod import pod_spec
from phase2.cluster.plan import CACHE_CLAIM, SERVICE_ACCOUNT, STORE_CONFIG_MAP, STORE_SECRET, make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request import RunRequest
from phase2.config.resolve import resolve

from .rendering import CHART, PROFILES, PROJECT, named, of_kind, pod_specs

ARGO_PARAMETERS = {"image", "queue"}


def documents(*patterns):
    paths = sorted(path for pattern in patterns for path in PROJECT.glob(pattern))
    return [one for path in paths for one in yaml.safe_load_all(path.read_text())]


def content(one):
    """An object without what says only where it comes from."""
    return {key: value for key, value in one.items() if key != "metadata"} | {"name": one["metadata"]["name"]}


def test_the_files_are_those_that_their_sources_make():
    words = [sys.executable, "-m", "tools.manifests.chart", "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 0, done.stderr


def test_the_check_notices_a_change_of_each_source():
    """The check would be worth nothing if the files did not come from the code."""
    program = (
        "import phase2.config.levels as levels; levels.LEVELS = (*levels.LEVELS, 'huge')\n"
        "import phase2.cluster.manifests.pod as pod; pod.USER = 10003\n"
        "import phase2; phase2.__version__ = '9.9.9'\n"
        "from tools.manifests.chart.files import CHART, files\n"
        "print(sorted(name for name, text in files().items() if text != (CHART / name).read_text()))"
    )
    words = [sys.executable, "-c", program]
    stale = subprocess.run(words, capture_output=True, text=True, check=True, cwd=PROJECT).stdout
    for name in (
        "Chart.yaml",
        "values.schema.json",
        "files/pods/nightly.yaml",
        "files/argo/workflowtemplate-phase2-train.yaml",
    ):
        assert f"'{name}'" in stale


def test_by_default_it_is_the_base_of_kustomize(helm):
    made = {(one["kind"], one["metadata"]["name"]): content(one) for one in helm.objects("default")}
    base = [one for one in documents("k8s/base/[!k]*.yaml") if one["kind"] != "Namespace"]
    assert len(base) == 11
    for one in base:
        assert made[one["kind"], one["metadata"]["name"]] == content(one)


def test_the_policy_of_jobs_is_that_of_kustomize_but_for_its_settings(helm):
    (policy, _) = documents("k8s/components/policy/policy.yaml")
    made = named(helm.objects("kind"), "ValidatingAdmissionPolicy", "phase2-jobs")
    ours = {one["name"]: one["expression"] for one in made["spec"]["variables"]}
    theirs = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
    assert {name for name in theirs if theirs[name] != ours[name]} == {"approved", "byDigest"}
    assert (ours["approved"], ours["byDigest"]) == ("['localhost/phase2']", "false")
    assert {**made["spec"], "variables": []} == {**policy["spec"], "variables": []}


def test_templates_of_workflows_are_those_of_argo_but_for_image_and_queue(helm):
    made = of_kind(helm.objects("gpu"), "WorkflowTemplate")
    theirs = {one["metadata"]["name"]: one for one in documents("argo/templates/*.yaml")}
    assert made.keys() == {name for name, one in theirs.items() if one["kind"] == "WorkflowTemplate"}
    for name, one in made.items():
        for parameters in (one["spec"]["arguments"]["parameters"], theirs[name]["spec"]["arguments"]["parameters"]):
            for parameter in parameters:
                if parameter["name"] in ARGO_PARAMETERS:
                    del parameter["value"]
        assert one["spec"] == theirs[name]["spec"]


def test_argo_s_braces_survive_helm(helm):
    tags = re.compile(r"\{\{[^{}]+\}\}")
    theirs = sorted(tags.findall("".join(path.read_text() for path in PROJECT.glob("argo/templates/*.yaml"))))
    assert len(theirs) > 100
    assert sorted(tags.findall(helm.text("gpu"))) == theirs


def test_what_argo_needs_besides_is_there(helm):
    things = helm.objects("gpu")
    cluster = documents("argo/cluster/*.yaml")
    there = {(one["kind"], one["metadata"]["name"]) for one in things}
    assert {(one["kind"], one["metadata"]["name"]) for one in cluster} <= there
    for one in cluster:
        if one["kind"] in ("Role", "NetworkPolicy"):
            assert content(named(things, one["kind"], one["metadata"]["name"])) == content(one)
        if one["kind"] == "ValidatingAdmissionPolicy":
            ours = named(things, one["kind"], one["metadata"]["name"])["spec"]
            rules = one["spec"]["validations"]
            assert {**ours, "validations": ours["validations"][: len(rules)]} == one["spec"]
            assert [rule["message"].split(" ")[1] for rule in ours["validations"][len(rules) :]] == ["image", "image"]


def test_artifacts_go_to_the_bucket_of_the_runs(helm):
    def repository(name):
        return yaml.safe_load(named(helm.objects(name), "ConfigMap", "phase2-artifacts")["data"]["phase2"])["s3"]

    own = repository("existing-s3")
    assert (own["endpoint"], own["insecure"], own["bucket"]) == ("s3.example.com:9443", False, "phase2")
    assert own["accessKeySecret"] == {"name": STORE_SECRET, "key": "AWS_ACCESS_KEY_ID"}
    assert own["caSecret"] == {"name": "phase2-ca", "key": "ca.crt"}
    role = repository("locked-down")
    assert (role["endpoint"], role["useSDKCreds"]) == ("s3.eu-central-1.amazonaws.com", True)
    assert "accessKeySecret" not in role


@pytest.mark.parametrize("name", ["Pod/phase2-test", "CronJob/phase2-nightly", "CronJob/phase2-clean"])
def test_pods_are_those_of_phase2_submit(helm, name):
    image = f"registry.example.com/phase2@sha256:{'0' * 64}"
    words = ["--set", "argo.enabled=never", "--set", "pods.gpus=0"]
    ours = pod_specs(helm.objects("gpu", *words))[name]
    cluster = ClusterRequest(image=Image.parse(image), cache=CACHE_CLAIM)
    theirs = pod_spec(make_plan("run-1", resolve(RunRequest()), cluster))
    for field in ("serviceAccountName", "automountServiceAccountToken", "securityContext", "volumes", "restartPolicy"):
        assert ours[field] == theirs[field]
    (train,) = theirs["containers"]
    for one in (*ours.get("initContainers", []), *ours["containers"]):
        for field in ("image", "workingDir", "securityContext", "envFrom", "volumeMounts", "terminationMessagePolicy"):
            assert one[field] == train[field]
        there, wanted = ({v["name"]: v for v in container["env"]} for container in (one, train))
        assert {n for n in wanted if there.get(n) != wanted[n]} == {"PHASE2_RUN_ID", "OMP_NUM_THREADS"}
        assert there.keys() <= wanted.keys()


def test_names_are_those_that_submitting_looks_for(helm):
    things = helm.objects("kind")
    for kind, name in (
        ("ServiceAccount", SERVICE_ACCOUNT),
        ("ConfigMap", STORE_CONFIG_MAP),
        ("Secret", STORE_SECRET),
        ("PersistentVolumeClaim", CACHE_CLAIM),
        ("PriorityClass", "phase2-training"),
    ):
        assert named(things, kind, name)


def test_every_file_of_the_chart_is_installed_by_some_profile(helm):
    made = [one for name in PROFILES for one in helm.objects(name)]
    installed = {(one["kind"], one["metadata"]["name"].removesuffix("-locked")) for one in made}
    renamed = {("NetworkPolicy", "phase2-minio"): ("NetworkPolicy", "phase2-store-inside")}
    files = [yaml.safe_load(path.read_text()) for path in (CHART / "files").rglob("*.yaml")]
    there = {(one["kind"], one["metadata"]["name"]) for one in files}
    assert {renamed.get(one, one) for one in there} <= installed
