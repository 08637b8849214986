"""Status of Jobs and Workflows as real controllers write it."""

from typing import Any

NAMESPACE = "materials"
NOW, LATER = "2026-11-24T12:00:00Z", "2026-11-24T12:08:00Z"


def node(
    workflow: str,
    step: str,
    phase: str,
    message: str = "",
    *,
    attempt: int | None = 0,
    code: int | None = None,
    number: int = 0,
    **fields: Any,
) -> dict[str, Any]:
    """Return a node of a Workflow: an attempt of a step, or with ``attempt=None`` the step itself."""
    display = step if attempt is None else f"{step}({attempt})"
    ended = {} if phase in {"Pending", "Running"} else {"finishedAt": f"2026-11-24T12:0{number}:30Z"}
    return {
        "id": f"{workflow}-{display}",
        "name": f"{workflow}[{number}].{display}",
        "displayName": display,
        "templateName": step.partition("(")[0],
        "type": "Retry" if attempt is None else "Pod",
        "phase": phase,
        "startedAt": f"2026-11-24T12:0{number}:00Z",
        **({"message": message} if message else {}),
        **ended,
        **({} if code is None else {"outputs": {"exitCode": str(code)}}),
        **fields,
    }  # fmt: skip


def workflow_status(phase: str, *nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the status of a Workflow."""
    ended = {"finishedAt": LATER} if phase in {"Succeeded", "Failed", "Error"} else {}
    found = {one["id"]: one for one in nodes}
    return {"phase": phase, "startedAt": NOW, "progress": "2/5", "nodes": found, **ended, **fields}


def workflow_running(name: str) -> dict[str, Any]:
    done = [node(name, step, "Succeeded", code=0, number=k) for k, step in enumerate(("validate", "prepare"))]
    return workflow_status("Running", *done, node(name, "train", "Running", number=2))


def workflow_succeeded(name: str) -> dict[str, Any]:
    steps = ("validate", "prepare", "train", "report", "register")
    return workflow_status(
        "Succeeded", *(node(name, step, "Succeeded", code=0, number=k) for k, step in enumerate(steps))
    )


def workflow_failed(name: str, code: int, text: str) -> dict[str, Any]:
    message = f"main: Error (exit code {code}): {text}"
    done = [node(name, step, "Succeeded", code=0, number=k) for k, step in enumerate(("validate", "prepare"))]
    ended = node(name, "train", "Failed", message, code=code, number=2)
    return workflow_status("Failed", *done, ended, message=message)


def job_succeeded() -> dict[str, Any]:
    return {"startTime": NOW, "succeeded": 1, "conditions": [condition("Complete", "CompletionsReached")]}


def job_failed() -> dict[str, Any]:
    return {"startTime": NOW, "failed": 1, "conditions": [condition("Failed", "PodFailurePolicy")]}


def job_pod(job: str, code: int, text: str) -> dict[str, Any]:
    """Return the ended pod of a Job's only attempt."""
    ended = {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "message": text}
    labels = {
        "app.kubernetes.io/name": "phase2", "app.kubernetes.io/component": "training",
        "batch.kubernetes.io/job-name": job,
    }  # fmt: skip
    return {
        "metadata": {
            "name": f"{job}-x", "namespace": NAMESPACE, "uid": f"{job}-x", "creationTimestamp": NOW, "labels": labels,
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "train", "image": "phase2:1"}]},
        "status": {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [{"name": "train", "state": {"terminated": ended}}],
        },
    }  # fmt: skip


def condition(kind: str, reason: str) -> dict[str, Any]:
    return {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": LATER}
