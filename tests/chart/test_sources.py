"""The chart installs what kustomize, ``argo/`` and ``phase2 submit`` have, but for what values change."""

import copy
import json
import re
import subprocess
import sys

import pytest
import yaml

from phase2.cluster.labels import PLAN_ANNOTATION, REQUEST_ANNOTATION, RUN_LABEL
from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import CACHE_CLAIM, SERVICE_ACCOUNT, STORE_CONFIG_MAP, make_plan
from phase2.cluster.request.common_metadata import CommonMetadata
from phase2.cluster.request.image import Image
from phase2.cluster.request.installation import CONFIG_MAP
from phase2.cluster.request.resources import STORE_SECRET, ClusterRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve

from .rendering import CHART, PROFILES, PROJECT, named, of_kind, pod_specs

ARGO_PARAMETERS = {"image"}
JOBS = ("ValidatingAdmissionPolicy", "phase2-jobs")


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
        "import phase2.config.levels as levels\n"
        "levels.LEVELS, levels.MODES = (*levels.LEVELS, 'huge'), (*levels.MODES, 'huge')\n"
        "import phase2; phase2.__version__ = '9.9.9'\n"
        "from tools.manifests.chart.files import CHART, files\n"
        "print(sorted(name for name, text in files().items() if text != (CHART / name).read_text()))"
    )
    words = [sys.executable, "-c", program]
    stale = subprocess.run(words, capture_output=True, text=True, check=True, cwd=PROJECT).stdout
    for name in (
        "Chart.yaml",
        "values.schema.json",
        "files/admission/validatingadmissionpolicy-phase2-jobs.yaml",
        "files/argo/workflowtemplate-phase2-train.yaml",
    ):
        assert f"'{name}'" in stale


def test_by_default_it_is_the_base_of_kustomize(helm):
    made = {(one["kind"], one["metadata"]["name"]): content(one) for one in helm.objects("default")}
    base = [one for one in documents("k8s/base/[!k]*.yaml") if one["kind"] != "Namespace"]
    assert len(base) == 16
    runs = [made.pop(("ConfigMap", "phase2-runs")), content(base.pop(names(base).index("phase2-runs")))]
    for one in runs:
        assert one["data"].pop("image")
        assert one["data"].pop("store-secret", STORE_SECRET) == STORE_SECRET
        one["data"]["defaults"] = yaml.safe_load(one["data"]["defaults"])
    assert runs[0] == runs[1]
    # Without Argo, somebody who installs in one namespace may have no right on Workflows to give away.
    maintainer = next(one for one in base if (one["kind"], one["metadata"]["name"]) == ("Role", "phase2-maintainer"))
    maintainer["rules"] = [rule for rule in maintainer["rules"] if rule["apiGroups"] != ["argoproj.io"]]
    for one in base:
        assert made[one["kind"], one["metadata"]["name"]] == content(one)


def test_with_argo_maintainers_have_the_rights_of_kustomize(helm):
    made = named(helm.objects("default", "--set", "argo.enabled=true"), "Role", "phase2-maintainer")
    assert content(made) == content(named(documents("k8s/base/maintainer.yaml"), "Role", "phase2-maintainer"))


def names(things):
    return [one["metadata"]["name"] for one in things]


CONDITIONS = {"not-a-controller", "not-a-maintainer"}
ADMISSION = ["phase2-jobs", "phase2-workloads", "phase2-owners"]


def expressions(listed):
    return {one["name"]: one["expression"] for one in listed}


@pytest.mark.parametrize("name", ADMISSION)
def test_policies_are_those_of_kustomize_but_for_their_settings(helm, name):
    policy = named(documents("k8s/components/policy/policy.yaml"), "ValidatingAdmissionPolicy", name)["spec"]
    made = named(helm.objects("kind"), "ValidatingAdmissionPolicy", name)["spec"]
    ours, theirs = expressions(made.pop("variables")), expressions(policy.pop("variables"))
    assert {key for key in theirs if theirs[key] != ours[key]} == (
        {"approved", "byDigest"} if name == ADMISSION[0] else set()
    )
    asked, asked_there = expressions(made.pop("matchConditions")), expressions(policy.pop("matchConditions"))
    assert asked.keys() == asked_there.keys()
    assert {key for key in asked if asked[key] != asked_there[key]} <= CONDITIONS
    assert made == policy


def test_values_set_whom_and_what_the_policies_approve(helm):
    values = {
        "admission.claims[0]": "team-cache",
        "admission.controllers[0]": "system:serviceaccount:ops:labels",
        "maintainers.groups[0]": "leads",
        "maintainers.users[0]": "carol",
        "store.existingSecret": "team-keys",
    }
    words = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    things = helm.objects("default", *words)
    jobs = named(things, "ValidatingAdmissionPolicy", "phase2-jobs")["spec"]
    found = expressions(jobs["variables"])
    assert found["claims"] == "['phase2-data-cache', 'team-cache']"
    assert found["secrets"] == "['team-keys']"
    assert found["approved"] == "['localhost/phase2']"
    assert found["gpus"] == "[]"
    controllers = expressions(jobs["matchConditions"])["not-a-controller"]
    assert "'system:serviceaccount:ops:labels'" in controllers
    assert "'system:serviceaccount:argo:argo'" in controllers
    owners = named(things, "ValidatingAdmissionPolicy", "phase2-owners")["spec"]
    assert expressions(owners["matchConditions"])["not-a-maintainer"] == (
        "!(request.userInfo.username in ['carol'] ||"
        " request.userInfo.?groups.orValue([]).exists(group, group in ['leads']))"
    )
    bound = named(things, "RoleBinding", "phase2-maintainer")["subjects"]
    assert [(one["kind"], one["name"]) for one in bound] == [("Group", "leads"), ("User", "carol")]


def test_the_policies_know_the_gpus_of_the_table_and_of_values(helm):
    given = ["--set", "admission.gpus={gpu.intel.com/i915}", "--set", "pods.gpuResource=amd.com/gpu"]
    given += ["--set-json", 'runs.defaults={"all": {"pro": {"gpuResource": "example.com/gpu"}}, "cgcnn": {}}']
    things = helm.objects("default", *given, "--set", "argo.enabled=true")
    for name in ("phase2-jobs", "phase2-train", "phase2-sweep", "phase2-ensemble", "phase2-tune"):
        found = expressions(named(things, "ValidatingAdmissionPolicy", name)["spec"]["variables"])
        assert found["gpus"] == "['amd.com/gpu', 'example.com/gpu', 'gpu.intel.com/i915']", name


def test_the_policy_of_jobs_knows_the_runtime_classes_of_the_table(helm):
    table = 'runs.defaults={"all": {"pro": {"runtimeClass": "nvidia"}, "max": {"runtimeClass": "nvidia"}}, "cgcnn": {}}'
    found = expressions(named(helm.objects("default", "--set-json", table), *JOBS)["spec"]["variables"])
    assert found["runtimeClasses"] == "['nvidia']"


def test_runs_of_people_may_have_the_common_labels_and_annotations(helm):
    note = "a 'quoted' \"word\" and a \\ \n <b> {{more}}"
    given = ["--set", "commonLabels.team=crystals"]
    given += ["--set-json", f"commonAnnotations={json.dumps({'example.com/note': note})}"]
    things = helm.objects("default", *given)
    found = expressions(named(things, *JOBS)["spec"]["variables"])
    assert json.loads(found["commonLabels"]) == {"team": "crystals"}
    assert json.loads(found["commonAnnotations"]) == {"example.com/note": note}
    common = CommonMetadata.parse(named(things, "ConfigMap", CONFIG_MAP)["data"])
    assert common == CommonMetadata({"team": "crystals"}, {"example.com/note": note})


@pytest.mark.parametrize("profile", ["kind", "no-argo"])
def test_the_pods_of_the_chart_have_their_runtime_class(helm, profile):
    pods = pod_specs(helm.objects(profile, "--set", "pods.runtimeClass=nvidia")).values()
    trains = [spec for spec in pods if any(one["name"] == "train" for one in spec["containers"])]
    assert trains
    assert all(spec["runtimeClassName"] == "nvidia" for spec in trains)


@pytest.mark.parametrize("profile", ["gpu", "no-argo"])
def test_the_nightly_run_asks_for_a_slice_by_its_name(helm, profile):
    slice_ = "nvidia.com/mig-1g.10gb"
    given = ["--set", f"pods.gpuResource={slice_}", "--set", "pods.gpus=1", "--set", "nightly.enabled=true"]
    things = helm.objects(profile, *given)
    if profile == "gpu":
        spec = named(things, "CronWorkflow", "phase2-nightly")["spec"]["workflowSpec"]
        parameters = {one["name"]: one["value"] for one in spec["arguments"]["parameters"]}
        assert (parameters["gpus"], parameters["gpu-resource"]) == ("1", slice_)
    else:
        template = named(things, "CronJob", "phase2-nightly")["spec"]["jobTemplate"]["spec"]["template"]
        asked = template["spec"]["containers"][0]["resources"]
        assert (asked["requests"][slice_], asked["limits"][slice_]) == ("1", "1")
        assert "nvidia.com/gpu" not in asked["limits"]


@pytest.mark.parametrize("version", ["v1beta1", "v1"])
def test_the_server_writes_owners_where_values_say_that_it_can(helm, version):
    assert not of_kind(helm.objects("default"), "MutatingAdmissionPolicy")
    things = helm.objects("default", "--set", f"admission.mutatingVersion={version}")
    (theirs, _) = documents("k8s/components/owners/owners.yaml")
    made = named(things, "MutatingAdmissionPolicy", "phase2-owners")
    assert made["apiVersion"] == f"admissionregistration.k8s.io/{version}"
    assert made["spec"]["mutations"] == theirs["spec"]["mutations"]
    assert named(things, "MutatingAdmissionPolicyBinding", "phase2-owners")["apiVersion"] == made["apiVersion"]


def test_the_local_store_is_that_of_kustomize_but_for_its_bucket(helm):
    things = helm.objects("kind")
    theirs = documents("k8s/components/minio/[!k]*.yaml")
    for kind in ("Service", "PersistentVolumeClaim"):
        assert content(named(things, kind, "minio")) == content(named(theirs, kind))
    ours = named(things, "Deployment", "minio")
    pod = ours["spec"]["template"]
    assert pod["metadata"].pop("annotations").keys() == {"phase2.dev/keys"}
    (bucket,) = pod["spec"].pop("initContainers")
    assert content(ours) == content(named(theirs, "Deployment"))
    (server,) = pod["spec"]["containers"]
    for field in ("resources", "securityContext", "volumeMounts"):
        assert bucket[field] == server[field]


def test_the_queue_is_that_of_kustomize_but_for_its_names(helm):
    ours = named(helm.objects("no-argo"), "LocalQueue")
    (theirs,) = [one for one in documents("k8s/components/kueue/*.yaml") if one["kind"] == "LocalQueue"]
    assert ours["apiVersion"] == theirs["apiVersion"]
    assert ours["spec"] == theirs["spec"] | {"clusterQueue": "research"}


def test_the_schedules_are_those_of_argo_but_for_their_parameters(helm):
    things = helm.objects("existing-s3", "--set", "retention.enabled=true", "--set", "page.enabled=true")
    for theirs in [one for one in documents("argo/templates/*.yaml") if one["kind"] == "CronWorkflow"]:
        ours = named(things, "CronWorkflow", theirs["metadata"]["name"])
        specs = [one["spec"]["workflowSpec"] for one in (ours, theirs)]
        given, there = (one.pop("arguments", {}).get("parameters", []) for one in specs)
        assert all(one in given for one in there)
        theirs["spec"].pop("suspend", None)  # who sets page.enabled has the keys for it
        assert content(ours) == content(theirs)
        assert ours["metadata"]["labels"].items() >= {
            ("app.kubernetes.io/name", "phase2"),
            ("app.kubernetes.io/component", "training"),
        }


def test_templates_of_workflows_are_those_of_argo_but_for_the_image(helm):
    made = of_kind(helm.objects("gpu"), "WorkflowTemplate")
    theirs = {one["metadata"]["name"]: one for one in documents("argo/templates/*.yaml")}
    assert made.keys() == {name for name, one in theirs.items() if one["kind"] == "WorkflowTemplate"}
    for name, one in made.items():
        for parameters in (one["spec"]["arguments"]["parameters"], theirs[name]["spec"]["arguments"]["parameters"]):
            for parameter in parameters:
                if parameter["name"] in ARGO_PARAMETERS:
                    del parameter["value"]
        assert one["spec"].pop("imagePullSecrets") == [{"name": "registry"}]
        for step in one["spec"]["templates"]:
            if "parallelism" in step:
                assert step["parallelism"] == 8
                step["parallelism"] = 4
            if "container" in step and step["name"] not in ("train", "predict"):
                assert step.pop("priorityClassName") == "phase2-steps"
        for artifact in artifacts(theirs[name]):
            artifact["s3"]["key"] = f"phase2/{artifact['s3']['key']}"  # the prefix of the store
        assert one["spec"] == theirs[name]["spec"]


def artifacts(template):
    """What the steps of a WorkflowTemplate keep in the bucket."""
    return [artifact for step in template["spec"]["templates"] for artifact in outputs(step)]


def outputs(step):
    return step.get("outputs", {}).get("artifacts", [])


def test_argo_s_braces_survive_helm(helm):
    tags = re.compile(r"\{\{[^{}]+\}\}")
    sources = [*PROJECT.glob("argo/templates/*.yaml"), PROJECT / "argo" / "cluster" / "artifacts.yaml"]
    theirs = sorted(tags.findall("".join(path.read_text() for path in sources)))
    assert len(theirs) > 100
    documents_of_argo = [one for one in helm.text("gpu").split("\n---\n") if "kind: ValidatingAdmission" not in one]
    assert sorted(tags.findall("".join(documents_of_argo))) == theirs


def test_what_argo_needs_besides_is_there(helm):
    things = helm.objects("gpu")
    cluster = documents("argo/cluster/*.yaml")
    there = {(one["kind"], one["metadata"]["name"]) for one in things}
    assert {(one["kind"], one["metadata"]["name"]) for one in cluster} <= there
    for one in cluster:
        if one["kind"] in ("ServiceAccount", "Secret", "Role", "RoleBinding", "NetworkPolicy"):
            assert content(named(things, one["kind"], one["metadata"]["name"])) == content(one)
        if one["kind"] == "ValidatingAdmissionPolicy":
            assert settled(named(things, one["kind"], one["metadata"]["name"])) == settled(one)


SETTINGS = {"approved", "byDigest", "gpus", "probes", "not-the-controller-of-argo", "not-exempt"}


def settled(policy):
    """The specification of a policy without what values set."""
    spec = copy.deepcopy(policy["spec"])
    for one in (*spec["matchConditions"], *spec.get("variables", [])):
        if one["name"] in SETTINGS:
            del one["expression"]
    return spec


def test_the_policies_of_workflows_are_set_by_values(helm):
    settings = [
        "disruption.protectHours=3", "argo.controllers={system:serviceaccount:flows:ctl}",
        "admission.exemptGroups={core}",
        "admission.images={localhost/phase2,registry.example.com/phase2}", "admission.byDigest=always",
        f"image.digest=sha256:{'0' * 64}", "image.repository=registry.example.com/phase2", "argo.enabled=true",
    ]  # fmt: skip
    things = helm.objects("default", *(word for one in settings for word in ("--set", one)))
    for name in ("phase2-workflows", "phase2-cronworkflows"):
        spec = named(things, "ValidatingAdmissionPolicy", name)["spec"]
        set_to = {one["name"]: one["expression"] for one in (*spec["matchConditions"], *spec["variables"])}
        assert "'system:serviceaccount:flows:ctl'" in set_to["not-the-controller-of-argo"]
        assert "serviceaccount:argo" not in set_to["not-the-controller-of-argo"]
        assert "['core']" in set_to["not-exempt"]
        assert set_to["approved"] == "['localhost/phase2', 'registry.example.com/phase2']"
        assert set_to["byDigest"] == "true"
    probes = {
        one["name"]: one["expression"]
        for one in named(things, "ValidatingAdmissionPolicy", "phase2-workflows")["spec"]["variables"]
    }["probes"]
    (train,) = (
        step
        for step in named(things, "WorkflowTemplate", "phase2-train")["spec"]["templates"]
        if step["name"] == "train"
    )
    assert yaml.safe_load(probes) == [train["container"]["readinessProbe"]["exec"]["command"]]


def test_artifacts_go_to_the_bucket_of_the_runs(helm):
    def repository(name):
        return yaml.safe_load(named(helm.objects(name), "ConfigMap", "phase2-artifacts")["data"]["phase2"])["s3"]

    own = repository("existing-s3")
    assert (own["endpoint"], own["insecure"], own["bucket"]) == ("s3.example.com:9443", False, "phase2")
    assert own["accessKeySecret"] == {"name": STORE_SECRET, "key": "AWS_ACCESS_KEY_ID"}
    assert own["caSecret"] == {"name": "phase2-ca", "key": "ca.crt"}
    assert own["keyFormat"] == "runs/.workflows/logs/{{workflow.name}}/{{pod.name}}"
    (kustomize,) = documents("argo/cluster/artifacts.yaml")
    assert f"runs/{yaml.safe_load(kustomize['data']['phase2'])['s3']['keyFormat']}" == own["keyFormat"]
    role = repository("locked-down")
    assert role["keyFormat"] == ".workflows/logs/{{workflow.name}}/{{pod.name}}"
    assert (role["endpoint"], role["useSDKCreds"]) == ("s3.eu-central-1.amazonaws.com", True)
    assert "accessKeySecret" not in role


IMAGE = f"registry.example.com/phase2@sha256:{'0' * 64}"
JOB_NAME = "metadata.labels['batch.kubernetes.io/job-name']"


def job_of_submit(run_id):
    """The Job of ``phase2 submit`` with the chart's defaults, whose run id is a field of its pod."""
    cluster = ClusterRequest(image=Image.parse(IMAGE), cache=CACHE_CLAIM, retries=2, deadline_seconds=6 * 3600)
    job = build_job(make_plan("run-1", resolve(RunRequest(algorithm="cgcnn", level="smoke")), cluster))
    for place in (job, job["spec"]["template"]):
        # These name one request, and values may change what is requested.
        del place["metadata"]["labels"][RUN_LABEL], place["metadata"]["annotations"][REQUEST_ANNOTATION]
    del job["metadata"]["annotations"][PLAN_ANNOTATION], job["metadata"]["name"], job["metadata"]["namespace"]
    sources = {
        "PHASE2_RUN_ID": {"fieldRef": {"fieldPath": run_id}},
        "OMP_NUM_THREADS": {"resourceFieldRef": {"resource": "requests.cpu"}},
    }
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container["env"] = sorted(
        (
            {"name": one["name"], "valueFrom": sources[one["name"]]} if one["name"] in sources else one
            for one in container["env"]
        ),
        key=by_name,
    )
    return job


def by_name(one):
    return one["name"]


@pytest.fixture
def started(helm):
    """The chart with its defaults, one image and the clean-up; the variables of containers in order of their names."""
    repository, _, digest = IMAGE.partition("@")
    settings = {"image.repository": repository, "image.digest": digest, "retention.enabled": "true"}
    things = helm.objects("default", *(word for name in settings for word in ("--set", f"{name}={settings[name]}")))
    for spec in pod_specs(things).values():
        for one in (*spec.get("initContainers", []), *spec["containers"]):
            one.get("env", []).sort(key=by_name)
    return things


def test_the_nightly_job_is_that_of_phase2_submit(started):
    template = named(started, "CronJob", "phase2-nightly")["spec"]["jobTemplate"]
    expected = job_of_submit(JOB_NAME)
    assert template["metadata"] == expected["metadata"]
    assert template["spec"] == expected["spec"]


def test_the_clean_up_is_a_job_of_phase2_submit_with_another_command(started):
    ours = named(started, "CronJob", "phase2-clean")["spec"]["jobTemplate"]["spec"]
    expected = job_of_submit(JOB_NAME)["spec"]
    (container,) = expected["template"]["spec"]["containers"]
    container["args"] = ["runs", "prune", "--yes", "--keep-best", "3", "--older-than", "30d"]
    container["env"] = [one for one in container["env"] if one["name"] != "PHASE2_RUN_ID"]
    labels = expected["template"]["metadata"]["labels"]
    expected["template"]["metadata"] = {"labels": {name: labels[name] for name in labels if name.startswith("app.")}}
    assert ours == expected


def test_the_test_has_the_pod_of_phase2_submit(started):
    ours = pod_specs(started)["Job/phase2-test"]
    expected = job_of_submit("metadata.uid")["spec"]["template"]["spec"]
    (train,), (container,) = expected.pop("containers"), ours.pop("containers")
    assert ours == expected
    assert container == train | {"command": ["sh", "-c"], "args": container["args"]}


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
    files = [yaml.safe_load(path.read_text()) for path in (CHART / "files" / "argo").glob("*.yaml")]
    there = {(one["kind"], one["metadata"]["name"]) for one in files}
    assert len(there) == 17
    assert there <= installed
