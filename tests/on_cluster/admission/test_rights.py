"""What the roles allow, as the API server itself lists it: every verb on every kind."""

import pytest

pytestmark = pytest.mark.cluster

READ = {"get", "list", "watch"}

SUBMITTER = {
    "jobs.batch": {"create", "patch", "delete"} | READ,
    "pods": READ,
    "pods/log": {"get"},
    "events": READ,
    "configmaps": {"get"},
    "services": {"get"},
}
MAINTAINER = SUBMITTER | {
    "pods": {"delete"} | READ,
    "workflows.argoproj.io": {"patch", "update", "delete"} | READ,
}
EVERYBODY = {
    "selfsubjectaccessreviews.authorization.k8s.io": {"create"},
    "selfsubjectrulesreviews.authorization.k8s.io": {"create"},
    "selfsubjectreviews.authentication.k8s.io": {"create"},
}
"""What Kubernetes allows everybody who is signed in."""

FORBIDDEN = [
    ("create", "pods"), ("create", "pods/exec"), ("create", "pods/attach"), ("create", "pods/portforward"),
    ("get", "pods/exec"), ("update", "pods/ephemeralcontainers"), ("patch", "pods"), ("delete", "pods"),
    ("create", "pods/eviction"), ("get", "secrets"), ("list", "secrets"), ("watch", "secrets"), ("create", "secrets"),
    ("update", "configmaps"), ("create", "configmaps"), ("create", "serviceaccounts/token"),
    ("create", "serviceaccounts"), ("impersonate", "serviceaccounts"), ("update", "jobs"), ("update", "jobs/status"),
    ("deletecollection", "jobs"), ("create", "cronjobs"), ("create", "deployments"), ("create", "daemonsets"),
    ("create", "roles"), ("bind", "roles"), ("escalate", "roles"), ("create", "rolebindings"),
    ("create", "networkpolicies"), ("delete", "networkpolicies"), ("delete", "persistentvolumeclaims"),
    ("update", "resourcequotas"), ("create", "workflowtemplates"), ("patch", "workflowtaskresults"),
    ("create", "cronworkflows"), ("create", "services"), ("get", "services/proxy"), ("get", "pods/proxy"),
]  # fmt: skip


def granted(person):
    """Every verb that a person has, by kind."""
    found: dict[str, set[str]] = {}
    for rule in person.rules():
        for group in rule.get("apiGroups") or [""]:
            for resource in rule["resources"]:
                kind = f"{resource}.{group}" if group else resource
                found.setdefault(kind, set()).update(rule["verbs"])
                assert not rule.get("resourceNames")
    return {kind: verbs for kind, verbs in found.items() if EVERYBODY.get(kind) != verbs}


def test_submitters_have_these_verbs_and_no_other(alice):
    assert granted(alice) == SUBMITTER


def test_maintainers_have_these_verbs_and_no_other(maintainer):
    assert granted(maintainer) == MAINTAINER


def test_others_have_none(person):
    assert granted(person("stranger@example.com")) == {}


@pytest.mark.parametrize(("verb", "kind"), FORBIDDEN, ids=lambda one: one)
def test_submitters_may_not(alice, verb, kind):
    name, slash, subresource = kind.partition("/")
    for rule in alice.rules():
        wanted = {kind, "*", f"*/{subresource}"} if slash else {name, "*"}
        if wanted & set(rule["resources"]):
            assert verb not in rule["verbs"]
            assert "*" not in rule["verbs"]
