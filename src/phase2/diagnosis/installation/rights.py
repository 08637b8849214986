"""Check of what this user may do in the namespace."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import ARGO, NamespaceReader

_JOBS = (
    ("create", "batch", "jobs", ""),
    ("patch", "batch", "jobs", ""),
    ("list", "", "pods", ""),
    ("get", "", "pods", "log"),
    ("list", "", "events", ""),
    ("get", "", "configmaps", ""),
)
_WORKFLOWS = (("create", "argoproj.io", "workflows", ""), ("patch", "argoproj.io", "workflows", ""))


def check_rights(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the rights that submitting and following runs needs."""
    yield _finding(reader, "Jobs", _JOBS, "phase2-submitter")
    if reader.knows(ARGO):
        yield _finding(reader, "Workflows", _WORKFLOWS, "phase2-workflow-submitter")


def _finding(reader: NamespaceReader, kind: str, rights: tuple[tuple[str, str, str, str], ...], role: str) -> Finding:
    missing = [
        f"{verb} {resource}{f'/{part}' if part else ''}"
        for verb, group, resource, part in rights
        if not reader.may(verb, group, resource, part)
    ]
    problem = None
    if missing:
        what = f"You may not {', '.join(missing)} in the namespace {reader.namespace}."
        problem = Problem(what, f"Runs as {kind} need it.", f"Ask for the role {role}, if you are to submit runs.")
    return Finding("rights", kind, "missing" if missing else "enough to submit", problem)
