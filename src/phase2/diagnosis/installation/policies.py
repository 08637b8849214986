"""Check of the policies of an installation: admission and network."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.cluster.objects import Object, name_of
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import ADMISSION, NamespaceReader

_NETWORK = "/apis/networking.k8s.io/v1"
_NAMESPACE_LABEL, _PART_LABEL = "kubernetes.io/metadata.name", "app.kubernetes.io/part-of"


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
    """Whether a binding is phase2's, by its name or, where the chart was given another one, by its label."""
    matched = (binding["spec"].get("matchResources") or {}).get("namespaceSelector") or {}
    labels = binding["metadata"].get("labels") or {}
    is_ours = labels.get(_PART_LABEL) == "phase2" or str(binding["spec"].get("policyName")).startswith("phase2-")
    return is_ours and (matched.get("matchLabels") or {}).get(_NAMESPACE_LABEL) == namespace
