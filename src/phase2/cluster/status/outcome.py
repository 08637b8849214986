"""How a workflow ended, kept in the store (``.workflows/<name>.json``): it may have left no run that says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Self

from phase2.errors import RequestError
from phase2.runs.layout import check_run_id
from phase2.storage.base import Store
from phase2.storage.records import Record, to_json


class FailedStep(Record):
    """A step that did not succeed.

    Attributes:
        step: Its name.
        phase: ``Failed`` or ``Error``.
        message: What it said.
    """

    step: str
    phase: str
    message: str


class WorkflowEnd(Record):
    """How a workflow ended.

    Attributes:
        schema_version: Format of this file.
        workflow: Its name.
        status: ``Succeeded``, ``Failed`` or ``Error``.
        ended: When.
        failures: Its steps that did not succeed.
    """

    schema_version: int = 1
    workflow: str
    status: str
    ended: datetime
    failures: tuple[FailedStep, ...] = ()

    @classmethod
    def of(cls, workflow: str, status: str, failures: str) -> Self:
        """Take over what Argo says at the end.

        Args:
            workflow: ``{{workflow.name}}``.
            status: ``{{workflow.status}}``.
            failures: ``{{workflow.failures}}``: a JSON string that holds JSON, or ``null``.

        Raises:
            RequestError: The failures are not understood.
        """
        steps = tuple(_failed_step(found) for found in _decoded(failures))
        return cls(workflow=check_run_id(workflow), status=status, ended=datetime.now(UTC), failures=steps)

    @property
    def key(self) -> str:
        """Where it lies in a store."""
        return f".workflows/{self.workflow}.json"

    def keep(self, store: Store) -> None:
        """Write it into a store.

        Raises:
            RequestError: The store cannot be used.
            TransientError: The store does not answer.
        """
        store.put(self.key, to_json(self.model_dump(mode="json")).encode())

    def sentences(self) -> list[str]:
        """What happened, a line each."""
        return [
            f"{self.workflow}: {self.status}",
            *(f"{one.step}: {one.phase}: {one.message}" for one in self.failures),
        ]


def _decoded(text: str) -> list[dict[str, Any]]:
    try:
        found: Any = json.loads(text) if text.strip() else None
        if isinstance(found, str):
            found = json.loads(found) if found.strip() else None
    except ValueError:
        found = text
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RequestError(
            "The failures of the workflow are not understood.",
            why="They are a JSON list of steps, as {{workflow.failures}} gives it.",
            fix="Pass them on as they are.",
        )
    return found


def _failed_step(found: dict[str, Any]) -> FailedStep:
    name = found.get("displayName") or found.get("templateName") or "?"
    return FailedStep(step=str(name), phase=str(found.get("phase", "")), message=str(found.get("message", "")))
