"""Check of the policies of an installation: admission and network."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.cluster.objects import Object, name_of
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import ADMISSION, NamespaceReader

_NETWORK = "/apis/networking.k8s.io/v1"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def check_admission(reader: NamespaceReader) -> Iterator[Finding]:
    """Check that a policy refuses Jobs of the namespace that are no runs."""
    bindings = reader.items(ADMISSION, "validatingadmissionpolicybindings", cluster=True) or []
    bound = sorted(str(one["spec"].get("policyName")) for one in bindings if _is_about(one, reader.namespace))
    problem = None
    if not bound:
        what = f"No admission policy is bound to the namespace {reader.namespace}."
        why = "Whoever may create Jobs there can run any image with the access keys of the store."
        problem = Problem(what, why, "Install k8s/components/policy, or set admission.create in the chart's values.")
    yield Finding("policies", "admission", ", ".join(bound) or "none", problem)


def check_network(reader: NamespaceReader) -> Iterator[Finding]:
    """Check that a network policy holds back all pods that train."""
    found = reader.items(_NETWORK, "networkpolicies") or []
    problem = None
    if not any(set(one["spec"].get("policyTypes") or ()) == {"Ingress", "Egress"} for one in found):
        what = f"No network policy closes the namespace {reader.namespace}."
        problem = Problem(what, "Its pods reach everything, and are reached.", "Set network.enabled, or use k8s/base.")
    yield Finding("policies", "network", ", ".join(map(name_of, found)) or "none", problem)


def _is_about(binding: Object, namespace: str) -> bool:
    matched = (binding["spec"].get("matchResources") or {}).get("namespaceSelector") or {}
    return (matched.get("matchLabels") or {}).get(_NAMESPACE_LABEL) == namespace and str(
        binding["spec"].get("policyName")
    ).partition("-")[0] == "phase2"
