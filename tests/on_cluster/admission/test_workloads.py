"""Everything else that becomes a pod, on a real API server: made by controllers and the administrator alone."""

import pytest
from tests.on_cluster.admission.namespaces import IMAGE, NAMESPACE, run
from tests.on_cluster.admission.requests import Person
from tests.on_cluster.lab.permissions import bind_role
from tests.on_cluster.lab.pods import restricted_pod

pytestmark = pytest.mark.cluster

EDITOR = "editor@example.com"
"""Somebody who was given a role too many, without the Secrets."""

JOB_CONTROLLER = "system:serviceaccount:kube-system:job-controller"
ARGO = "system:serviceaccount:argo:argo"
RUNNER = f"system:serviceaccount:{NAMESPACE}:phase2-runner"


@pytest.fixture(scope="module")
def editor(cluster, policies):
    """A person whom roles allow all workloads, and whom only the policies hold."""
    kinds = "pods,pods/exec,pods/attach,pods/portforward,replicationcontrollers,podtemplates"
    kinds += ",deployments.apps,replicasets.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch,jobs.batch"
    place = ["--namespace", NAMESPACE]
    cluster.kubectl("create", "role", "editor", "--verb=*", f"--resource={kinds},jobs.batch/status", *place)
    users = [f"--user={name}" for name in (EDITOR, ARGO, RUNNER)]
    bind_role(cluster, "editor", "--role=editor", *users, namespace=NAMESPACE)
    return Person(cluster.api, NAMESPACE, EDITOR)


@pytest.fixture(scope="module")
def pod(administrator):
    """Name of a pod that is there: no node takes it."""
    made = restricted_pod("is-there", f"{IMAGE}:1", "true")
    made["spec"]["nodeSelector"] = {"nowhere": "at-all"}
    assert administrator.create(made, store=True) is None
    yield "is-there"
    administrator.delete("Pod", "is-there", store=True)


def workload(kind):
    pod = restricted_pod("by-hand", f"{IMAGE}:1", "sh", "-c", "env")
    if kind == "Pod":
        return pod
    labels = {"app": "by-hand"}
    template = {"metadata": {"labels": labels}, "spec": {**pod["spec"], "restartPolicy": "Always"}}
    made = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "by-hand"}}
    if kind == "PodTemplate":
        return made | {"apiVersion": "v1", "template": template}
    if kind == "CronJob":
        job = {"spec": run()["spec"]}
        return made | {"apiVersion": "batch/v1", "spec": {"schedule": "0 2 * * *", "jobTemplate": job}}
    if kind == "ReplicationController":
        return made | {"apiVersion": "v1", "spec": {"selector": labels, "template": template}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return made | {"spec": spec | ({"serviceName": "none"} if kind == "StatefulSet" else {})}


KINDS = [
    "Pod", "CronJob", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "PodTemplate",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_submitter_has_no_permission_for_it(alice, kind):
    assert 'User "alice@example.com" cannot create resource' in (alice.create(workload(kind)) or "it was accepted")


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_refuses_it_where_a_role_allows_it(editor, kind):
    answer = editor.create(workload(kind)) or "it was accepted"
    assert f"People write no {kind.lower()}s in a namespace of runs" in answer


@pytest.mark.parametrize("kind", KINDS)
def test_an_administrator_makes_it(administrator, kind):
    assert administrator.create(workload(kind)) is None


def test_a_pod_is_made_by_the_controllers(person, editor):
    for controller in (JOB_CONTROLLER, ARGO):
        assert person(controller).create(workload("Pod")) is None
    assert "People write no pods" in (person(RUNNER).create(workload("Pod")) or "it was accepted")


def test_a_pod_is_not_entered(editor, pod):
    for way in ("exec?command=env&container=train", "attach?container=train", "portforward?ports=80"):
        answer = editor.connect(f"pods/{pod}/{way}") or "it was accepted"
        assert f"People write no pods/{way.partition('?')[0]}" in answer


def test_a_pod_is_not_changed(editor, pod):
    patch = {"spec": {"containers": [{"name": "train", "image": "docker.io/other:1"}]}}
    assert "People write no pods" in (editor.patch("Pod", pod, patch) or "it was accepted")
    label = {"metadata": {"labels": {"phase2.dev/observer": "phase2"}}}
    assert "People write no pods" in (editor.patch("Pod", pod, label) or "it was accepted")


def test_the_policy_of_jobs_asks_an_editor_as_well(editor):
    made = run()
    made["spec"]["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", "env"]
    assert "containers[0].command" in (editor.create(made) or "it was accepted")
