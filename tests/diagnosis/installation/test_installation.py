"""``phase2 doctor --namespace``: an API server of a namespace, over sockets, with what an installation consists of."""

import json

import pytest
from tests.cluster.support.api_server import ApiServer, JsonHandler, listening

from phase2 import __version__
from phase2.cli import main

CORE, ARGO = "/api/v1", "/apis/argoproj.io/v1alpha1"
HERE = "/namespaces/materials"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES, POLICY = f"{ADMISSION}/validatingadmissionpolicybindings", f"{ADMISSION}/validatingadmissionpolicies"
JOBS, ALL = (
    ("jobs", "workloads", "owners"),
    ("jobs", "workloads", "owners", "workflows", "cronworkflows", "argo-internals"),
)
HERE_ALONE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "materials"}}}
RUNS = {"image": "phase2@sha256:1", "store-secret": "keys"}
KEYS = {"AWS_ACCESS_KEY_ID": "aGlkZGVu", "AWS_SECRET_ACCESS_KEY": "aGlkZGVu"}
FULL = {"hard": {"requests.cpu": "8"}, "used": {"requests.cpu": "7"}}
TEMPLATES, QUOTAS = f"{ARGO}{HERE}/workflowtemplates", f"{CORE}{HERE}/resourcequotas"
LONG_AGO, TODAY = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


def thing(name, **fields):
    return {"metadata": {"name": name, "namespace": "argo", "creationTimestamp": LONG_AGO}, **fields}


def binding(policy, *actions):
    return thing(policy, spec={"policyName": policy, "validationActions": actions, "matchResources": HERE_ALONE})


def admission(purposes=ALL, name="phase2-{}", actions=("Deny",), fails="Fail"):
    """Policies of these purposes and their bindings."""
    names = [name.format(purpose) for purpose in purposes]
    policies = {f"{POLICY}/{one}": thing(one, spec={"failurePolicy": fails}) for one in names}
    return {POLICIES: [binding(one, *actions) for one in names], **policies}


def controller(*args, ready=1):
    pod = {"containers": [{"args": list(args)}]}
    return thing("workflow-controller", spec={"template": {"spec": pod}}, status={"readyReplicas": ready})


def template(name, version=__version__):
    made = thing(name)
    made["metadata"]["labels"] = {"app.kubernetes.io/version": version}
    return made


TABLE = "all: {all: {priority: phase2-training}, pro: {runtimeClass: nvidia}, max: {runtimeClass: nvidia}}"
RUNTIMES = "/apis/node.k8s.io/v1/runtimeclasses"


def installed():
    """Everything that a good installation has, by path; a list is answered as one."""
    security = {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    gpus = {"requests.nvidia.com/gpu": "4", "requests.nvidia.com/mig-1g.10gb": "14"}
    hard, used = {"requests.cpu": "64", **gpus}, {"requests.cpu": "8", "requests.nvidia.com/mig-1g.10gb": "3"}
    return {
        f"{CORE}{HERE}/configmaps/phase2-store": thing("phase2-store", data={"PHASE2_STORE": "s3://phase2"}),
        f"{CORE}{HERE}/configmaps/phase2-runs": thing(
            "phase2-runs", data={"image": "phase2@sha256:1", "store-secret": "keys", "defaults": TABLE}
        ),
        "/apis/scheduling.k8s.io/v1/priorityclasses/phase2-training": thing("phase2-training"),
        f"{RUNTIMES}/nvidia": thing("nvidia"),
        f"{CORE}{HERE}/secrets/keys": thing(
            "keys", data={"AWS_ACCESS_KEY_ID": "aGlkZGVu", "AWS_SECRET_ACCESS_KEY": "aGlkZGVu"}
        ),
        f"{CORE}{HERE}": {"metadata": {"name": "materials", **security}},
        f"{CORE}{HERE}/serviceaccounts/phase2-runner": thing("phase2-runner"),
        f"{CORE}{HERE}/persistentvolumeclaims/phase2-data-cache": thing("phase2-data-cache", status={"phase": "Bound"}),
        f"{CORE}{HERE}/resourcequotas": [thing("phase2", status={"hard": hard, "used": used})],
        f"/apis/networking.k8s.io/v1{HERE}/networkpolicies": [
            thing("phase2-deny-all", spec={"policyTypes": ["Ingress", "Egress"]})
        ],
        **admission(),
        ARGO: {"resources": []},
        f"{ARGO}{HERE}/workflowtemplates": [template("phase2-train"), template("phase2-sweep")],
        f"{ARGO}{HERE}/workflows": [thing("done", status={"phase": "Succeeded", "finishedAt": TODAY})],
        f"{ARGO}{HERE}/cronworkflows/phase2-nightly": thing("phase2-nightly"),
        "/apis/apps/v1/deployments": [controller()],
        f"/apis/kueue.x-k8s.io/v1beta2{HERE}/localqueues": [thing("gpu", status={"conditions": []})],
    }


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """Run the command against objects by path; paths of ``hidden`` are forbidden."""

    def run_command(objects, *, hidden=(), allowed=True):
        class Handler(JsonHandler):
            def do_GET(self):  # noqa: N802
                path = self.path.partition("?")[0]
                if any(path.startswith(word) for word in hidden):
                    plural = path.rstrip("/").split("/")[-1]
                    who = 'User "ada" cannot get resource'
                    text = f'{plural} is forbidden: {who} "{plural}" in API group "" at the cluster scope'
                    self.answer(403, {"kind": "Status", "message": text, "code": 403})
                elif path in objects:
                    found = objects[path]
                    self.answer(200, {"items": found} if isinstance(found, list) else found)
                else:
                    self.answer(404, {"kind": "Status", "message": f'"{path}" not found', "code": 404})

            def do_POST(self):  # noqa: N802
                self.read_json()
                self.answer(201, {"status": {"allowed": allowed}})

            def answer(self, status, body):
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        with listening(Handler) as url:
            monkeypatch.setenv("KUBECONFIG", str(ApiServer(url, []).kubeconfig(tmp_path)))
            code = main(["doctor", "--namespace", "materials", "--json"])
            report = json.loads(capsys.readouterr().out)
        return code, {f"{one['topic']} {one['name']}": one for one in report["findings"]}

    return run_command


def problems(findings):
    return {name: found["problem"]["what"] for name, found in findings.items() if found["problem"]}


def test_a_good_installation_has_no_problem(doctor):
    code, found = doctor(installed())
    assert (code, problems(found)) == (0, {})
    assert found["store access keys"]["value"] == "the Secret keys has them"
    assert (
        found["pods quota phase2"]["value"] == "has room; GPUs: 0 of 4 in use; nvidia.com/mig-1g.10gb: 3 of 14 in use"
    )
    assert found["argo templates"]["value"] == f"2, of version {__version__}"
    assert "aGlkZGVu" not in json.dumps(found)


def claim(**spec):
    return thing("phase2-data-cache", status={"phase": "Pending"}, spec=spec)


def runs(**data):
    return thing("phase2-runs", data=data)


def classes(*names, default=None, late=False):
    made = [thing(name, volumeBindingMode="WaitForFirstConsumer" if late else "Immediate") for name in names]
    for one in made:
        one["metadata"]["annotations"] = {
            "storageclass.kubernetes.io/is-default-class": str(one["metadata"]["name"] == default).lower()
        }
    return made


CLAIM = f"{CORE}{HERE}/persistentvolumeclaims/phase2-data-cache"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


@pytest.mark.parametrize(
    ("changes", "name", "words", "code"),
    [
        ({f"{CORE}{HERE}/configmaps/phase2-store": None}, "store address", "ConfigMap phase2-store is missing", 2),
        ({f"{CORE}{HERE}/secrets/keys": None}, "store access keys", "Secret keys is missing", 2),
        ({f"{CORE}{HERE}/secrets/keys": thing("keys", data={})}, "store access keys", "lacks AWS_ACCESS_KEY_ID", 0),
        ({f"{CORE}{HERE}/configmaps/phase2-runs": None, f"{CORE}{HERE}/secrets/phase2-s3": thing("s", data={})},
         "runs defaults", "phase2-runs is missing", 0),
        ({f"{CORE}{HERE}/configmaps/phase2-runs": runs(defaults="all: {all: {gpu: 1}}")},
         "runs defaults", "Unknown field", 2),
        ({f"{CORE}{HERE}/configmaps/phase2-runs": runs(labels="[a]")}, "runs defaults", "The labels of the runs", 2),
        ({f"{RUNTIMES}/nvidia": None}, "pods RuntimeClass", "The RuntimeClass nvidia is missing", 2),
        ({"/apis/scheduling.k8s.io/v1/priorityclasses/phase2-training": None}, "pods PriorityClass",
         "The PriorityClass phase2-training is missing", 2),
        ({f"{CORE}{HERE}": {"metadata": {"name": "materials"}}}, "pods Pod Security", "'restricted'", 0),
        ({f"{CORE}{HERE}/serviceaccounts/phase2-runner": None}, "pods service account", "is missing", 2),
        ({CLAIM: claim(), CLASSES: classes("slow")}, "pods data cache", "is Pending", 2),
        ({CLAIM: claim(storageClassName="fats"), CLASSES: classes("fast")}, "pods data cache", "is Pending", 2),
        ({QUOTAS: [thing("full", status=FULL)]},
         "pods quota full", "requests.cpu (7 of 8 in use)", 75),
        ({POLICIES: []}, "policies admission", "No admission policy", 0),
        (admission(ALL[1:]), "policies admission", "whole: phase2-jobs is not bound.", 0),
        (admission(JOBS), "policies admission", "phase2-workflows is not bound; phase2-cronworkflows is not bound", 0),
        (admission(actions=("Audit", "Warn")), "policies admission", "phase2-owners is bound without Deny", 0),
        (admission(fails="Ignore"), "policies admission", "phase2-jobs lets through what it cannot evaluate", 0),
        ({f"{POLICY}/phase2-workloads": None}, "policies admission", "whole: phase2-workloads does not exist.", 0),
        ({f"/apis/networking.k8s.io/v1{HERE}/networkpolicies": []}, "policies network", "No network policy", 0),
        ({TEMPLATES: [template("phase2-train", "0.0.9")]}, "argo templates", "of phase2 0.0.9", 0),
        ({f"{ARGO}{HERE}/workflows": [thing("waits")]}, "argo workflows", "such as waits", 2),
        ({"/apis/apps/v1/deployments": [controller("--namespaced")]}, "argo controller", "does not watch", 2),
        ({"/apis/apps/v1/deployments": [controller(ready=0)]}, "argo controller", "is not ready", 75),
        ({f"{ARGO}{HERE}/workflows": []}, "runs nightly", "has not succeeded", 0),
        ({f"/apis/kueue.x-k8s.io/v1beta2{HERE}/localqueues":
          [thing("gpu", status={"conditions": [{"type": "Active", "status": "False"}]})]}, "runs queues", "'gpu'", 0),
    ],
)  # fmt: skip
def test_each_problem_is_found_alone(doctor, changes, name, words, code):
    objects = {path: one for path, one in (installed() | changes).items() if one is not None}
    ended, found = doctor(objects)
    told = problems(found)
    assert words in told.pop(name)
    assert ended == code
    assert found[name]["problem"]["fix"]
    # Without a nightly Workflow that succeeded, or with another Secret, that is said, too.
    assert set(told) <= {"runs nightly", "store access keys"}


def test_a_claim_without_a_default_storage_class_is_said_in_words(doctor):
    _, found = doctor(installed() | {CLAIM: claim(), CLASSES: classes("slow")})
    assert "no default one" in found["pods data cache"]["problem"]["why"]
    code, found = doctor(installed() | {CLAIM: claim(storageClassName="late"), CLASSES: classes("late", late=True)})
    assert (code, problems(found)) == (0, {})


def test_policies_of_another_name_are_known_by_their_label(doctor):
    changes = admission(name="lab-{}-materials")
    _, found = doctor(installed() | changes)
    assert "No admission policy" in problems(found)["policies admission"]
    for one in changes[POLICIES]:
        one["metadata"]["labels"] = {"app.kubernetes.io/part-of": "phase2"}
    _, found = doctor(installed() | changes)
    assert (problems(found), found["policies admission"]["value"].count("lab-")) == ({}, len(ALL))


def test_without_templates_argo_needs_no_policies(doctor):
    _, found = doctor(installed() | admission(JOBS) | {TEMPLATES: []})
    assert "policies admission" not in problems(found)


def test_what_may_not_be_read_is_said_and_is_no_problem(doctor):
    code, found = doctor(installed(), hidden=[f"{CORE}{HERE}/secrets", POLICIES, "/apis/apps/v1", QUOTAS])
    assert (code, problems(found)) == (0, {})
    for name in ("store access keys", "policies admission", "argo controller", "pods quota"):
        assert found[name]["value"].startswith("may not be read: The cluster knows you as 'ada'")


def test_missing_rights_are_named_with_the_role(doctor):
    code, found = doctor(installed(), allowed=False)
    assert code == 0
    assert "create jobs, patch jobs" in found["rights Jobs"]["problem"]["what"]
    assert "phase2-workflow-submitter" in found["rights Workflows"]["problem"]["fix"]


def test_a_cluster_without_argo_and_kueue_is_fine(doctor):
    objects = {path: one for path, one in installed().items() if "argoproj" not in path and "kueue" not in path}
    code, found = doctor(objects)
    assert (code, problems(found)) == (0, {})
    assert "not installed" in found["argo templates"]["value"]
    assert "argo controller" not in found
