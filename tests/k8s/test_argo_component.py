"""What a kustomization of an installation changes of Argo's policies."""

import yaml
from tests.on_cluster.support.argo_installation import argo_installation

from tools.manifests.argo.admission import workflows


def test_it_names_the_image_to_the_policy_and_changes_nothing_else(tmp_path):
    installed = argo_installation(f"registry.example.org/phase2@sha256:{'a' * 64}", tmp_path)
    (policy,) = (one for one in yaml.safe_load_all(installed) if one["metadata"]["name"] == workflows.NAME
                 and one["kind"] == "ValidatingAdmissionPolicy")  # fmt: skip
    ours = {one["name"]: one["expression"] for one in workflows.policy()["spec"]["variables"]}
    found = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
    assert {name for name in ours if found[name] != ours[name]} == {"approved"}
    assert found["approved"] == "['registry.example.org/phase2']"
