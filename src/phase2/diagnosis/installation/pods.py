"""Check of what pods need of a namespace: security level, service account, data cache and quota."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.cluster.objects import Object, annotation, name_of
from phase2.cluster.plan import CACHE_CLAIM, SERVICE_ACCOUNT
from phase2.cluster.request.quantities import parse_quantity
from phase2.cluster.request.resources import GPU_RESOURCE
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import CORE, STORAGE, NamespaceReader

_SECURITY = "pod-security.kubernetes.io/enforce"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_SMALLEST_RUN = {"requests.cpu": "2", "requests.memory": "8Gi", "limits.memory": "8Gi", "pods": "1"}
_REQUESTS = "requests."
_GPU = f"{_REQUESTS}{GPU_RESOURCE}"


def check_security(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the label by which the API server refuses pods with privileges."""
    found = reader.get(CORE, "namespaces", reader.namespace, cluster=True)
    if found is None:
        what = f"There is no namespace {reader.namespace}."
        yield Finding("pods", "namespace", "-", Problem(what, "", "Name another with --namespace.", 2))
        return
    level = (found["metadata"].get("labels") or {}).get(_SECURITY)
    problem = None
    if level != "restricted":
        fix = f"kubectl label namespace {reader.namespace} {_SECURITY}=restricted"
        what = f"The namespace {reader.namespace} does not enforce the Pod Security level 'restricted'."
        problem = Problem(what, "Pods with privileges could be started there; those of phase2 have none.", fix)
    yield Finding("pods", "Pod Security", level or "not enforced", problem)


def check_service_account(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the service account of the pods that train."""
    found = reader.get(CORE, "serviceaccounts", SERVICE_ACCOUNT)
    problem = None
    if found is None:
        fix = f"kubectl -n {reader.namespace} create serviceaccount {SERVICE_ACCOUNT}"
        problem = Problem(f"The service account {SERVICE_ACCOUNT} is missing.", "No pod of a run is created.", fix, 2)
    yield Finding("pods", "service account", "-" if found is None else SERVICE_ACCOUNT, problem)


def check_data_cache(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the claim of the data cache, and the storage class that it needs."""
    found = reader.get(CORE, "persistentvolumeclaims", CACHE_CLAIM)
    if found is None:
        yield Finding("pods", "data cache", "none: each pod makes its graphs anew")
        return
    phase = str((found.get("status") or {}).get("phase") or "Pending")
    yield Finding("pods", "data cache", f"{CACHE_CLAIM} is {phase}", _unbound(reader, found, phase))


def _unbound(reader: NamespaceReader, claim: Object, phase: str) -> Problem | None:
    what = f"The claim {name_of(claim)} is {phase}."
    if phase == "Bound":
        return None
    if phase == "Lost":
        return Problem(what, "Its volume is gone.", "Delete the claim and install again.", 2)
    wanted = (claim.get("spec") or {}).get("storageClassName")
    classes = reader.items(STORAGE, "storageclasses", cluster=True) or []
    if wanted is None and not any(annotation(one, _DEFAULT_CLASS) == "true" for one in classes):
        why = "It names no storage class, and the cluster has no default one."
        return Problem(what, why, "Name one (dataCache.storageClass in the chart's values), or mark a default.", 2)
    chosen = next((one for one in classes if name_of(one) == wanted), None)
    if wanted and chosen is None:
        return Problem(what, f"There is no storage class '{wanted}'.", f"There are {_names(classes)}.", 2)
    if chosen is not None and chosen.get("volumeBindingMode") == "WaitForFirstConsumer":
        return None  # bound with the first pod
    return Problem(what, "No volume was made for it yet.", f"kubectl -n {reader.namespace} describe pvc {CACHE_CLAIM}")


def _names(objects: list[Object]) -> str:
    return ", ".join(map(name_of, objects)) or "none"


def check_quota(reader: NamespaceReader) -> Iterator[Finding]:
    """Check whether the quota has room for one run, on a CPU and on a GPU."""
    quotas = reader.items(CORE, "resourcequotas") or []
    if not quotas:
        yield Finding("pods", "quota", "none")
    for quota in quotas:
        status = quota.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        short = [
            f"{name} ({used.get(name, '0')} of {hard[name]} in use)"
            for name, least in _SMALLEST_RUN.items()
            if name in hard and not _has_room(least, str(used.get(name, "0")), str(hard[name]))
        ]
        problem = None
        if short:
            what = f"The quota '{name_of(quota)}' has no room for a run: {', '.join(short)}."
            problem = Problem(
                what, "Its pods are not created.", "Wait for others to end, or have the quota raised.", 75
            )
        devices = "".join(
            f"; {'GPUs' if name == _GPU else name.removeprefix(_REQUESTS)}: {used.get(name, '0')} of {most} in use"
            for name, most in hard.items()
            if name.startswith(_REQUESTS) and "/" in name
        )
        yield Finding("pods", f"quota {name_of(quota)}", f"{'full' if short else 'has room'}{devices}", problem)


def _has_room(least: str, used: str, hard: str) -> bool:
    amounts = [parse_quantity(text) for text in (least, used, hard)]
    if any(amount is None for amount in amounts):
        return True
    needed, in_use, limit = (amount.value for amount in amounts if amount is not None)
    return needed + in_use <= limit
