"""Check of the policies of an installation: admission and network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from phase2.cluster.objects import Object, name_of
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import ADMISSION, ARGO, NamespaceReader

_NETWORK = "/apis/networking.k8s.io/v1"
_POLICIES = ("jobs", "workloads", "owners")
_ARGO_POLICIES = ("workflows", "cronworkflows", "argo-internals")
_NAMESPACE_LABEL, _PART_LABEL = "kubernetes.io/metadata.name", "app.kubernetes.io/part-of"
_OURS = f"{_PART_LABEL}=phase2"


def check_admission(reader: NamespaceReader) -> Iterator[Finding]:
    """Check that policies refuse what is no run: all of them, in force for the namespace."""
    bindings = reader.items(ADMISSION, "validatingadmissionpolicybindings", cluster=True) or []
    ours = [one for one in bindings if _is_about(one, reader.namespace)]
    bound = sorted(str(one["spec"].get("policyName")) for one in ours)
    faults = [*_missing(bound, reader), *(fault for one in ours for fault in _faults(one, reader))]
    problem = None
    if not bound:
        what = f"No admission policy is bound to the namespace {reader.namespace}."
        why = "Whoever may create Jobs there can run any image with the access keys of the store."
        problem = Problem(what, why, "Install k8s/components/policy, or set admission.create in the chart's values.")
    elif faults:
        what = f"The admission policies of the namespace {reader.namespace} are not whole: {'; '.join(faults)}."
        why = "What one of them does not refuse, a person may use to reach the access keys of the store."
        problem = Problem(what, why, "Install k8s/components/policy, argo/cluster or the chart again, as they are.")
    yield Finding("policies", "admission", ", ".join(bound) or "none", problem)


def _missing(bound: Sequence[str], reader: NamespaceReader) -> Iterator[str]:
    """Yield the policies that are not bound; a name may have a prefix and a suffix of its installation."""
    has_templates = bool(reader.items(ARGO, "workflowtemplates", selector=_OURS))
    for purpose in (*_POLICIES, *(_ARGO_POLICIES if has_templates else ())):
        if not any(f"-{purpose}-" in f"{name}-" for name in bound):
            yield f"phase2-{purpose} is not bound"


def _faults(binding: Object, reader: NamespaceReader) -> Iterator[str]:
    """Yield what keeps a bound policy from refusing requests."""
    name = str(binding["spec"].get("policyName"))
    if "Deny" not in (binding["spec"].get("validationActions") or ()):
        yield f"{name} is bound without Deny"
    policy = reader.get(ADMISSION, "validatingadmissionpolicies", name, cluster=True)
    if policy is None:
        yield f"{name} does not exist"
    elif policy["spec"].get("failurePolicy", "Fail") != "Fail":
        yield f"{name} lets through what it cannot evaluate"


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
