"""Check that the classes exist that the installation's table names for pods: without one, none is created."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.cluster.request.installation import CONFIG_MAP, Installation
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import NamespaceReader
from phase2.errors import RequestError

_SCHEDULING, _NODES = "/apis/scheduling.k8s.io/v1", "/apis/node.k8s.io/v1"


def check_priorities(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the priority classes of the table."""
    return _check(reader, "priority", _SCHEDULING, "PriorityClass", "priorityclasses")


def check_runtimes(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the runtime classes of the table."""
    return _check(reader, "runtimeClass", _NODES, "RuntimeClass", "runtimeclasses")


def _check(reader: NamespaceReader, field: str, group: str, kind: str, plural: str) -> Iterator[Finding]:
    try:
        installation = Installation.parse((reader.runs_config or {}).get("data") or {})
    except RequestError:  # the check of the ConfigMap says it
        return
    for name in installation.defaults.values_of(field):
        problem = None
        if reader.get(group, plural, name, cluster=True) is None:
            what = f"The {kind} {name} is missing."
            why = f"The ConfigMap {CONFIG_MAP} gives it to runs ({field}), and no pod of theirs is created without it."
            problem = Problem(what, why, "Create it, or have the administrator name another (runs.defaults).", 2)
        yield Finding("pods", kind, name, problem)
