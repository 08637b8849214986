"""Jobs of phase2 in a cluster: create, read, watch, stop, delete, and the logs of their pods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from phase2.cluster.connection import Connection, Object
from phase2.cluster.plan import CANCELLED_ANNOTATION, COMPONENT_LABEL, NAME_LABEL, RUN_LABEL
from phase2.cluster.pod import CONTAINER
from phase2.cluster.refusals import ObjectGoneError, refusal

_OURS = f"{NAME_LABEL}=phase2,{COMPONENT_LABEL}=training"
JOB_OF_POD = "batch.kubernetes.io/job-name"
# Watches end by themselves after this time, so that one that is broken without a sign is noticed.
_WATCH_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Change:
    """An object that was watched, as it is now.

    Attributes:
        object: The object.
        is_deleted: Whether it is gone.
    """

    object: Object
    is_deleted: bool


class JobClient:
    """Works on the Jobs of one namespace.

    Args:
        connection: The way to the cluster.
        namespace: The namespace.

    Attributes:
        namespace: The namespace.
        server: Address of the API server.
    """

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.namespace = namespace
        self.server = connection.server
        self._connection = connection
        self._jobs = f"/apis/batch/v1/namespaces/{self.namespace}/jobs"
        self._core = f"/api/v1/namespaces/{self.namespace}"

    def create(self, job: Object, *, dry_run: bool = False) -> Object:
        """Create a Job.

        Raises:
            ObjectConflictError: There is one of that name.
            RequestError: The server refuses it.
            TransientError: The server does not answer.
        """
        query = {"fieldManager": "phase2", "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        action = f"create the Job {job['metadata']['name']} in the namespace {self.namespace}"
        return self._connection.request("POST", self._jobs, action=action, query=query, body=job)

    def get(self, name: str) -> Object | None:
        """Read a Job; None where there is none of that name."""
        try:
            return self._connection.request("GET", f"{self._jobs}/{name}", action=f"read the Job {name}")
        except ObjectGoneError:
            return None

    def jobs(self, run_id: str | None = None) -> list[Object]:
        """Read the Jobs of phase2: all, or those of one run."""
        selector = _OURS if run_id is None else f"{_OURS},{RUN_LABEL}={run_id}"
        action = f"list jobs in the namespace {self.namespace}"
        return self._list(self._jobs, action, {"labelSelector": selector})

    def pods(self, job: str | None = None) -> list[Object]:
        """Read the pods of a Job, or those of all."""
        selector = _OURS if job is None else f"{JOB_OF_POD}={job}"
        return self._list(
            f"{self._core}/pods", f"list pods in the namespace {self.namespace}", {"labelSelector": selector}
        )

    def events(self) -> list[Object]:
        """Read what was noticed in the namespace lately about Jobs and pods."""
        action = f"list events in the namespace {self.namespace}"
        return self._list(f"{self._core}/events", action, {})

    def watch_job(self, name: str, *, since: str | None = None) -> Iterator[Change]:
        """Yield a Job now and whenever it changes, for some minutes.

        Args:
            name: Name of the Job.
            since: Its resource version to begin after; None also yields the Job as it is now.
        """
        query = {"fieldSelector": f"metadata.name={name}"} | ({} if since is None else {"resourceVersion": since})
        yield from self._watch(self._jobs, query, f"watch the Job {name}")

    def watch_pods(self, job: str) -> Iterator[Change]:
        """Yield each pod of a Job now and whenever it changes, for some minutes."""
        yield from self._watch(
            f"{self._core}/pods", {"labelSelector": f"{JOB_OF_POD}={job}"}, f"watch the pods of the Job {job}"
        )

    def log(self, pod: str, *, tail: int | None = None) -> str:
        """Read what a pod has printed so far."""
        query = {"container": CONTAINER} | ({} if tail is None else {"tailLines": str(tail)})
        return self._connection.text(
            f"{self._core}/pods/{pod}/log", action=f"read the log of the pod {pod}", query=query
        )

    def follow_log(self, pod: str, *, since: str | None = None) -> Iterator[str]:
        """Yield what a pod prints, each line with its time in front, until it ends.

        Args:
            pod: Name of the pod.
            since: Time of the first line (RFC 3339); None is from the beginning.
        """
        query = {"container": CONTAINER, "follow": "true", "timestamps": "true"}
        if since is not None:
            query["sinceTime"] = since
        yield from self._connection.lines(
            f"{self._core}/pods/{pod}/log", action=f"follow the log of the pod {pod}", query=query
        )

    def stop(self, name: str) -> Object:
        """End a Job as if its time were up: its pods get SIGTERM and their grace, and the Job stays to be looked at."""
        body = {
            "metadata": {"annotations": {CANCELLED_ANNOTATION: datetime.now(UTC).isoformat(timespec="seconds")}},
            "spec": {"activeDeadlineSeconds": 1},
        }
        return self._connection.request(
            "PATCH",
            f"{self._jobs}/{name}",
            action=f"stop the Job {name}",
            body=body,
            content_type="application/strategic-merge-patch+json",
        )

    def delete(self, name: str) -> None:
        """Delete a Job and its pods, which get SIGTERM and their grace."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        self._connection.request("DELETE", f"{self._jobs}/{name}", action=f"delete the Job {name}", body=body)

    def _list(self, path: str, action: str, query: dict[str, str]) -> list[Object]:
        items: list[Object] = []
        while True:
            page = self._connection.request("GET", path, action=action, query={"limit": "500", **query})
            items += page.get("items") or []
            following = page["metadata"].get("continue")
            if not following:
                return items
            query = {**query, "continue": following}

    def _watch(self, path: str, query: dict[str, str], action: str) -> Iterator[Change]:
        seconds = str(_WATCH_SECONDS)
        lines = self._connection.lines(
            path,
            action=action,
            query={**query, "watch": "true", "timeoutSeconds": seconds},
            silence=_WATCH_SECONDS + 30.0,
        )
        for line in lines:
            event: dict[str, Any] = json.loads(line)
            if event["type"] == "ERROR":
                found = event["object"]
                code, body = int(found.get("code", 500)), json.dumps(found).encode()
                raise refusal(code, body, action=action, server=self.server)
            yield Change(event["object"], is_deleted=event["type"] == "DELETED")
