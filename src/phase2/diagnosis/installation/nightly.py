"""Check of the nightly run, and of the queue that admits runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from phase2.cluster.nightly import CRON_LABEL, NIGHTLY, last_success
from phase2.cluster.objects import failed_condition, name_of
from phase2.cluster.request.resources import format_duration
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import ARGO, BATCH, NamespaceReader

_KUEUE = "/apis/kueue.x-k8s.io/v1beta2"
_LATE = timedelta(hours=36)


def check_nightly(reader: NamespaceReader) -> Iterator[Finding]:
    """Check when the nightly run succeeded last."""
    workflow = reader.get(ARGO, "cronworkflows", NIGHTLY)
    job = reader.get(BATCH, "cronjobs", NIGHTLY)
    if workflow is None and job is None:
        yield Finding("runs", "nightly", "none")
        return
    selector = f"{CRON_LABEL}={NIGHTLY}"
    ended = (reader.items(ARGO, "workflows", selector=selector) or []) if workflow is not None else []
    last = last_success(job, ended)
    now = datetime.now(UTC)
    created = datetime.fromisoformat(str((workflow or job or {})["metadata"]["creationTimestamp"]))
    problem = None
    if now - (last or created) > _LATE:
        what = "The nightly run has not succeeded for more than a day and a half."
        problem = Problem(what, "What runs depend on has changed, or no pod starts.", "phase2 status says why.")
    value = "has not succeeded yet" if last is None else f"succeeded {format_duration(_seconds(now - last))} ago"
    yield Finding("runs", "nightly", value, problem)


def check_queues(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the queues of Kueue in the namespace."""
    found = reader.items(_KUEUE, "localqueues")
    if found is None:
        yield Finding("runs", "queues", "Kueue is not installed: runs start at once")
        return
    stopped = [name_of(one) for one in found if failed_condition(one, "Active") is not None]
    problem = None
    if stopped:
        what = f"The queue '{stopped[0]}' is not active."
        why = "Its ClusterQueue is missing or stopped: runs wait in it."
        problem = Problem(what, why, "Look at 'kubectl get clusterqueues'.")
    yield Finding("runs", "queues", ", ".join(map(name_of, found)) or "none", problem)


def _seconds(time: timedelta) -> int:
    return max(0, round(time.total_seconds()))
