"""What network policies let pods reach, and where the short steps of workflows run."""

import re

import pytest

from .rendering import PROJECT, named, of_kind


def egress(things, name):
    return named(things, "NetworkPolicy", name)["spec"]["egress"]


def ports(rules):
    return {port["port"] for rule in rules for port in rule["ports"]}


def test_by_default_every_host_but_the_metadata_of_clouds_is_reached(helm):
    (rule,) = egress(helm.objects("default"), "phase2-store")
    blocks = {one["ipBlock"]["cidr"]: one["ipBlock"]["except"] for one in rule["to"]}
    assert blocks == {"0.0.0.0/0": ["169.254.0.0/16"], "::/0": ["fd00:ec2::254/128", "fe80::/10"]}


def test_pods_are_held_to_the_addresses_of_the_store(helm):
    values = ["--set", "network.storeCIDRs={192.0.2.0/24,2001:db8::/32}", "--set", "network.storePorts={443,9443}"]
    (rule,) = egress(helm.objects("default", *values), "phase2-store")
    assert rule["to"] == [{"ipBlock": {"cidr": "192.0.2.0/24"}}, {"ipBlock": {"cidr": "2001:db8::/32"}}]
    assert ports([rule]) == {443, 9443}


def test_other_ports_of_name_servers_and_of_the_api_server(helm):
    values = ["--set", "network.nameServerPorts={53,5353}", "--set", "network.apiServerPorts={16443}"]
    things = helm.objects("existing-s3", *values)
    assert ports(egress(things, "phase2-name-servers")) == {53, 5353}
    for name in ("phase2-executor", "phase2-observer", "phase2-test-claims"):
        assert ports(egress(things, name)) == {16443}, name


def test_the_values_of_the_page_about_openshift(helm, tmp_path):
    page = (PROJECT / "docs/how-to/distributions.md").read_text()
    (values,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "values.yaml").write_text(values)
    (rule,) = egress(helm.objects("default", "--values", str(tmp_path / "values.yaml")), "phase2-name-servers")
    assert rule["to"][0] == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}},
        "podSelector": {"matchLabels": {"dns.operator.openshift.io/daemonset-dns": "default"}},
    }
    assert ports([rule]) == {5353}


def test_with_pod_identity_no_keys_are_needed_and_the_agent_of_the_node_is_reached(helm):
    values = ["--set", "serviceAccount.podIdentity=true", "--set", "store.existingSecret="]
    things = helm.objects("default", *values)
    (rule,) = egress(things, "phase2-pod-identity")
    assert rule["to"] == [{"ipBlock": {"cidr": "169.254.170.23/32"}}, {"ipBlock": {"cidr": "fd00:ec2::23/128"}}]
    assert ports([rule]) == {80}
    assert "data" not in named(things, "Secret", "phase2-s3")
    assert "serviceAccount.podIdentity" in helm.refusal("--set", "store.existingSecret=")


@pytest.mark.parametrize("given", [True, False])
def test_short_steps_are_placed_and_trainings_are_not(helm, given):
    values = [
        "--set", "argo.steps.nodeSelector.pool=system",
        "--set", "argo.steps.tolerations[0].key=system", "--set", "argo.steps.tolerations[0].operator=Exists",
    ]  # fmt: skip
    things = helm.objects("gpu", *(values if given else []))
    placed: set[str] = set()
    trained: set[str] = set()
    for name in of_kind(things, "WorkflowTemplate"):
        for step in named(things, "WorkflowTemplate", name)["spec"]["templates"]:
            if "container" in step:
                is_run = step["name"] in ("train", "train-first", "train-others", "predict")
                where = step.get("nodeSelector"), step.get("tolerations")
                (trained if is_run else placed).add(str(where))
    assert trained == {"(None, None)"}
    system = {"pool": "system"}, [{"key": "system", "operator": "Exists"}]
    assert placed == {str(system if given else (None, None))}
