"""Outcome of a workflow, recorded in the store (``.workflows/<name>.json``): it may have ended without a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Self

from phase2.errors import RequestError
from phase2.runs.layout import check_run_id
from phase2.storage.base import Store
from phase2.storage.records import Record, to_json


class FailedStep(Record):
    """Step that did not succeed.

    Attributes:
        step: Name of the step.
        phase: ``Failed`` or ``Error``.
        message: Message of the step.
    """

    step: str
    phase: str
    message: str


class WorkflowOutcome(Record):
    """Outcome of a workflow.

    Attributes:
        schema_version: Version of the file format.
        workflow: Name of the workflow.
        status: ``Succeeded``, ``Failed`` or ``Error``.
        ended: Time of its end.
        failures: Steps that did not succeed.
    """

    schema_version: int = 1
    workflow: str
    status: str
    ended: datetime
    failures: tuple[FailedStep, ...] = ()

    @classmethod
    def of(cls, workflow: str, status: str, failures: str) -> Self:
        """Parse the variables that Argo passes to the exit handler.

        Args:
            workflow: ``{{workflow.name}}``.
            status: ``{{workflow.status}}``.
            failures: ``{{workflow.failures}}``: a JSON string that contains JSON, or ``null``.

        Raises:
            RequestError: The failures have another format.
        """
        steps = tuple(_failed_step(found) for found in _decoded(failures))
        return cls(workflow=check_run_id(workflow), status=status, ended=datetime.now(UTC), failures=steps)

    @property
    def key(self) -> str:
        """Key of the record in a store."""
        return f".workflows/{self.workflow}.json"

    def save(self, store: Store) -> None:
        """Write the record to a store.

        Raises:
            RequestError: The store cannot be used.
            TransientError: The store does not answer.
        """
        store.put(self.key, to_json(self.model_dump(mode="json")).encode())

    def lines(self) -> list[str]:
        """Describe the outcome, a line for each fact."""
        return [
            f"{self.workflow}: {self.status}",
            *(f"{failure.step}: {failure.phase}: {failure.message}" for failure in self.failures),
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
    if not isinstance(found, list) or not all(isinstance(step, dict) for step in found):
        raise RequestError(
            "The failures of the workflow cannot be read.",
            why="They are a JSON list of steps, as {{workflow.failures}} gives it.",
            fix="Pass them on as they are.",
        )
    return found


def _failed_step(found: dict[str, Any]) -> FailedStep:
    name = found.get("displayName") or found.get("templateName") or "?"
    return FailedStep(step=str(name), phase=str(found.get("phase", "")), message=str(found.get("message", "")))
