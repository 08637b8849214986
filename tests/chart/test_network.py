"""What network policies let pods reach, and where the short steps of workflows run."""

import pytest

from .rendering import named, of_kind


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
