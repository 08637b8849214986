"""The observer of runs: off by default, and with no more rights and ways out than it needs."""

import pytest

from .rendering import named

READ = {"get", "list", "watch"}


@pytest.fixture(scope="module")
def things(helm):
    return helm.objects("locked-down")


def test_it_is_off_by_default(helm):
    assert not [one for one in helm.objects("kind") if "observer" in one["metadata"]["name"]]


def test_it_may_read_runs_and_record_events_alone(things):
    role = named(things, "Role", "phase2-observer")
    granted = {resource: set(rule["verbs"]) for rule in role["rules"] for resource in rule["resources"]}
    assert granted == {
        "jobs": READ, "cronjobs": {"get"}, "workflows": READ, "pods": READ, "events": READ | {"create"},
    }  # fmt: skip
    binding = named(things, "RoleBinding", "phase2-observer")
    assert [one["name"] for one in binding["subjects"]] == ["phase2-observer"]
    assert named(things, "ServiceAccount", "phase2-observer")["automountServiceAccountToken"] is False


@pytest.mark.parametrize("looks", [True, False])
def test_it_has_the_role_of_the_cloud_where_it_looks_at_the_store(helm, looks):
    things = helm.objects("locked-down", "--set", f"observer.checkStore={str(looks).lower()}")
    account = named(things, "ServiceAccount", "phase2-observer")["metadata"]
    runner = named(things, "ServiceAccount", "phase2-runner")["metadata"]["annotations"]
    role = "eks.amazonaws.com/role-arn"
    assert account.get("annotations", {}).get(role) == (runner[role] if looks else None)


def test_it_is_one_pod_whose_labels_are_those_of_its_policies(things):
    deployment = named(things, "Deployment", "phase2-observer")
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selector = deployment["spec"]["selector"]["matchLabels"]
    policy = named(things, "NetworkPolicy", "phase2-observer")["spec"]
    assert selector == policy["podSelector"]["matchLabels"]
    assert selector.items() <= labels.items()
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {443, 6443}
    assert "ingress" not in policy
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in container
    assert labels["app.kubernetes.io/component"] == "observer"


def test_with_the_keys_it_has_the_labels_that_reach_the_store(helm):
    things = helm.objects("existing-s3")
    pod = named(things, "Deployment", "phase2-observer")["spec"]["template"]
    store = named(things, "NetworkPolicy", "phase2-store")
    assert store["spec"]["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (container,) = pod["spec"]["containers"]
    assert "--check-store" in container["args"]
    assert [next(iter(one)) for one in container["envFrom"]] == ["configMapRef", "secretRef"]
    ingress = named(things, "NetworkPolicy", "phase2-observer")["spec"]["ingress"]
    assert ingress[0]["ports"] == [{"protocol": "TCP", "port": 9108}]
    port = container["ports"][0]["containerPort"]
    assert f"--metrics-port={port}" in container["args"]
