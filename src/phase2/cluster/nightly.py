"""When the nightly run succeeded last. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from phase2.cluster.objects import Object, time_of

NIGHTLY = "phase2-nightly"
"""Name of the CronWorkflow, or of the CronJob where there is no Argo."""
CRON_LABEL = "workflows.argoproj.io/cron-workflow"


def last_success(job: Object | None, workflows: Sequence[Object]) -> datetime | None:
    """Return when the nightly run succeeded last; None if it is not known.

    Args:
        job: The CronJob, which keeps that time; None without one.
        workflows: The Workflows of the CronWorkflow, which keeps the last few.
    """
    times = [time_of(((job or {}).get("status") or {}).get("lastSuccessfulTime"))]
    for workflow in workflows:
        status = workflow.get("status") or {}
        if status.get("phase") == "Succeeded":
            times.append(time_of(status.get("finishedAt")))
    return max((time for time in times if time is not None), default=None)
