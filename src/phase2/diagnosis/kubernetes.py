"""Whether runs can be submitted from here; nothing that a training needs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from phase2.diagnosis.finding import Finding, Problem
from phase2.errors import Phase2Error

if TYPE_CHECKING:
    from phase2.cluster.api.connection import Connection

_NEEDED = (("create", "batch", "jobs", ""), ("list", "", "pods", ""), ("get", "", "pods", "log"))


def kubernetes() -> Iterator[Finding]:
    """Ask the cluster of the kubeconfig what its user may do; a pod that trains has none."""
    if find_spec("kubernetes") is None:
        yield Finding("cluster", "access", "not asked: the extra 'cluster' is not installed")
        return
    from phase2.cluster.api.connection import Connection
    from phase2.cluster.api.kubeconfig import context_namespace, kubeconfig_files

    if not kubeconfig_files():
        yield Finding("cluster", "access", "not asked: no kubeconfig")
        return
    try:
        connection, namespace = Connection.open(), context_namespace()
        yield Finding("cluster", "server", f"{connection.server}, namespace {namespace}")
        missing = [_words(*what) for what in _NEEDED if not _may(connection, namespace, *what)]
    except Phase2Error as error:
        yield Finding("cluster", "access", "failed", Problem(error.what, error.why, error.fix))
        return
    yield Finding("cluster", "rights", "missing" if missing else "enough to submit", _lacking(missing))


def _lacking(missing: list[str]) -> Problem | None:
    if not missing:
        return None
    fix = "Ask for the role phase2-submitter (k8s/base)."
    return Problem(f"You may not {', '.join(missing)} there.", "phase2 submit needs it.", fix)


def _may(connection: Connection, namespace: str, verb: str, group: str, resource: str, part: str) -> bool:
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": resource, "subresource": part}
    answer = connection.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        action="ask what you may do",
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        },
    )
    return bool(answer["status"]["allowed"])


def _words(verb: str, _group: str, resource: str, part: str) -> str:
    return f"{verb} {resource}" + (f"/{part}" if part else "")
