"""Check whether runs can be submitted from this machine; a training does not need it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from phase2.diagnosis.finding import Finding, Problem
from phase2.errors import Phase2Error

_REQUIRED = (("create", "batch", "jobs", ""), ("list", "", "pods", ""), ("get", "", "pods", "log"))


def check_kubernetes() -> Iterator[Finding]:
    """Check the permissions of the kubeconfig's user; a pod that trains has no kubeconfig."""
    if find_spec("kubernetes") is None:
        yield Finding("cluster", "access", "not asked: the extra 'cluster' is not installed")
        return
    from phase2.cluster.api.connection import Connection
    from phase2.cluster.api.kubeconfig import context_namespace, kubeconfig_files
    from phase2.diagnosis.installation.reader import NamespaceReader

    if not kubeconfig_files():
        yield Finding("cluster", "access", "not asked: no kubeconfig")
        return
    try:
        connection, namespace = Connection.open(), context_namespace()
        yield Finding("cluster", "server", f"{connection.server}, namespace {namespace}")
        reader = NamespaceReader(connection, namespace)
        missing = [_described(*right) for right in _REQUIRED if not reader.may(*right)]
    except Phase2Error as error:
        yield Finding("cluster", "access", "failed", Problem(error.what, error.why, error.fix))
        return
    yield Finding("cluster", "rights", "missing" if missing else "enough to submit", _missing_rights(missing))


def _missing_rights(missing: list[str]) -> Problem | None:
    if not missing:
        return None
    fix = "Ask for the role phase2-submitter (k8s/base)."
    return Problem(f"You may not {', '.join(missing)} there.", "phase2 submit needs it.", fix)


def _described(verb: str, _group: str, resource: str, part: str) -> str:
    return f"{verb} {resource}" + (f"/{part}" if part else "")
