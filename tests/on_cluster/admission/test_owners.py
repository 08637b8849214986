"""Whose a run is, on a real API server: people stop and delete their own; maintainers everybody's."""

import json
import time

import pytest
from tests.on_cluster.admission.namespaces import NAMESPACE, run
from tests.on_cluster.admission.requests import ALICE, BOB
from tests.on_cluster.lab.permissions import bind_role
from tests.on_cluster.lab.services.argo_crds import GROUP
from tests.on_cluster.lab.services.definitions import wait_until_served

from phase2.cluster.backends.registry import CLUSTER_BACKENDS

pytestmark = pytest.mark.cluster

OWNER = "phase2.dev/owner"
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
WORKFLOWS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "workflows.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {"plural": "workflows", "singular": "workflow", "kind": "Workflow", "listKind": "WorkflowList"},
        "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _ANYTHING}}],
    },
}
"""Workflows of a cluster without Argo: the policy of owners looks at their metadata alone."""
GARBAGE_COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"


def suspended(run_id, owner=None):
    """A run that no controller starts."""
    made = run(run_id, queue="nobody")
    made["metadata"]["annotations"] |= {OWNER: owner} if owner else {}
    return made


@pytest.fixture(scope="module")
def alices(alice, administrator):
    """Name of a Job of Alice."""
    assert alice.create(suspended("of-alice", ALICE), store=True) is None
    yield "phase2-of-alice"
    administrator.delete("Job", "phase2-of-alice", store=True)


@pytest.fixture(scope="module")
def nobodys(administrator):
    """Name of a Job from before runs had owners."""
    assert administrator.create(suspended("of-nobody"), store=True) is None
    yield "phase2-of-nobody"
    administrator.delete("Job", "phase2-of-nobody", store=True)


@pytest.fixture(scope="module")
def workflow(cluster, policies):
    """Name of a Workflow of Alice, in a cluster that may have Argo's kinds already."""
    there = cluster.kubectl("get", "crd", "workflows.argoproj.io", check=False).returncode == 0
    if not there:
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(WORKFLOWS))
        wait_until_served(cluster, GROUP)
    metadata = {"name": "of-alice", "namespace": NAMESPACE, "annotations": {OWNER: ALICE}}
    spec = {"workflowTemplateRef": {"name": "phase2-train"}}
    made = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}
    rights = ["--verb=create,get,patch,delete", "--resource=workflows.argoproj.io", "--namespace", NAMESPACE]
    cluster.kubectl("create", "role", "workflows", *rights)
    bind_role(cluster, "workflows", "--role=workflows", "--group=phase2-submitters", namespace=NAMESPACE)
    yield made
    cluster.kubectl("delete", "role/workflows", "rolebinding/workflows", "--namespace", NAMESPACE)
    cluster.kubectl("delete", "workflow", "of-alice", "--namespace", NAMESPACE, "--ignore-not-found")
    if not there:
        cluster.kubectl("delete", "crd/workflows.argoproj.io", "--wait=false")


# Jobs -----------------------------------------------------------------------------------------------------------------


def stop_patch():
    """The patch of ``phase2 cancel``."""
    from datetime import UTC, datetime

    return dict(CLUSTER_BACKENDS["job"].stop_patch(datetime.now(UTC)))


def test_people_stop_and_delete_their_own_runs(alice, alices):
    assert alice.patch("Job", alices, stop_patch()) is None
    assert alice.delete("Job", alices) is None


def test_another_person_does_not(bob, alices):
    for answer in (bob.patch("Job", alices, stop_patch()), bob.delete("Job", alices)):
        assert f"The Job {alices} is of {ALICE}, and you are {BOB}. Ask that person, or a maintainer" in (answer or "")


def test_a_maintainer_and_an_administrator_do(maintainer, administrator, alices):
    for one in (maintainer, administrator):
        assert one.patch("Job", alices, stop_patch()) is None
        assert one.delete("Job", alices) is None


def test_what_has_no_owner_is_for_maintainers(alice, maintainer, nobodys):
    answer = alice.delete("Job", nobodys) or "it was accepted"
    assert (
        "is nobody's, since no phase2.dev/owner says whose it is, and you are alice@example.com. Ask a maint" in answer
    )
    assert maintainer.delete("Job", nobodys) is None


def test_garbage_is_collected(person, alices):
    assert person(GARBAGE_COLLECTOR).delete("Job", alices) is None


CHANGES = {
    "another owner": {"metadata": {"annotations": {OWNER: BOB}}},
    "no owner": {"metadata": {"annotations": {OWNER: None}}},
    "another id": {"metadata": {"labels": {"phase2.dev/run-id": "of-bob"}}},
    "no labels": {"metadata": {"labels": None}},
    "another command to resume": {"metadata": {"annotations": {"phase2.dev/command": "phase2 train"}}},
    "past the queue": {"spec": {"suspend": False}},
    "another queue": {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "other"}}},
    "more pods": {"spec": {"parallelism": 50}},
    "more retries": {"spec": {"backoffLimit": 1000}},
    "a longer deadline": {"spec": {"activeDeadlineSeconds": 10**8}},
    "no deadline": {"spec": {"activeDeadlineSeconds": None}},
    "a finalizer": {"metadata": {"finalizers": ["example.com/mine"]}},
    "an owner reference": {
        "metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "0"}]}
    },
    "other nodes": {"spec": {"template": {"spec": {"nodeSelector": {"gpu": "h100"}}}}},
    "other labels of the pod": {"spec": {"template": {"metadata": {"labels": {"phase2.dev/observer": "x"}}}}},
}


@pytest.mark.parametrize("change", CHANGES)
def test_people_change_nothing_else_of_their_own_runs(alice, alices, change):
    answer = alice.patch("Job", alices, CHANGES[change]) or "it was accepted"
    assert "A Job is stopped with phase2 cancel, and changed in nothing else" in answer or "stays as it is" in answer


def test_the_status_is_the_controllers(alice, alices):
    done = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert "cannot patch resource" in (alice.patch("Job", alices, done, subresource="/status") or "it was accepted")


def test_kueue_lets_a_run_start_where_it_found_room(cluster, person, alices):
    """What its controller changes: it starts the Job, on nodes of a flavor."""
    account = "system:serviceaccount:kueue-system:kueue-controller-manager"
    bind_role(cluster, "kueue", "--clusterrole=admin", f"--user={account}", namespace=NAMESPACE)
    pod = {"spec": {"nodeSelector": {"gpu": "h100"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]}}
    patch = {"spec": {"suspend": False, "template": pod}}
    assert person(account).patch("Job", alices, patch) is None


# Workflows ------------------------------------------------------------------------------------------------------------


def test_workflows_have_owners_as_well(cluster, alice, bob, maintainer, workflow):
    assert f"says {ALICE}, and you are {BOB}" in (bob.create(workflow) or "it was accepted")
    assert alice.create(workflow, store=True) is None
    stop = {"spec": {"shutdown": "Stop"}}
    for answer in (bob.patch("Workflow", "of-alice", stop), bob.delete("Workflow", "of-alice")):
        assert f"The Workflow of-alice is of {ALICE}, and you are {BOB}." in (answer or "it was accepted")
    for one in (alice, maintainer):
        assert one.patch("Workflow", "of-alice", stop) is None
        assert one.delete("Workflow", "of-alice") is None


# Where the server writes the owner ------------------------------------------------------------------------------------


def test_the_server_writes_the_owner_where_it_can(cluster, alice, bob, stamped):
    for thing in (suspended("stamped"), suspended("stamped", BOB)):
        assert alice.created(thing)["metadata"]["annotations"][OWNER] == ALICE
    thing = suspended("stamped")
    del thing["metadata"]["annotations"]
    assert alice.created(thing)["metadata"]["annotations"] == {OWNER: ALICE}


def test_runs_of_the_clock_have_the_owner_of_their_schedule(person, stamped):
    controller = person("system:serviceaccount:kube-system:cronjob-controller")
    assert OWNER not in controller.created(suspended("nightly-1"))["metadata"]["annotations"]


@pytest.fixture(scope="module")
def stamped(cluster, policies, alice, tmp_path_factory):
    """The policy by which the server writes the owner, where the cluster has such policies."""
    from tests.on_cluster.admission.namespaces import owner_stamp

    kinds = cluster.kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "--output=name").stdout
    if "mutatingadmissionpolicies" not in kinds:
        pytest.skip("This cluster has no policies that change objects.")
    with owner_stamp(cluster, tmp_path_factory.mktemp("stamp")):
        deadline = time.monotonic() + 60
        while OWNER not in alice.created(suspended("stamped"))["metadata"]["annotations"]:
            assert time.monotonic() < deadline, "the policy is not in force"
            time.sleep(0.2)
        yield
