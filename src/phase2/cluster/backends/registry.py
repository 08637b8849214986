"""The cluster backends: a Job, an Argo Workflow, a JobSet and a TrainJob. A new one is a module and an entry here."""

from __future__ import annotations

from phase2.cluster.backends.base import BackendName, RunBackend
from phase2.cluster.backends.job import JobBackend
from phase2.cluster.backends.jobset import JobSetBackend
from phase2.cluster.backends.trainjob import TrainJobBackend
from phase2.cluster.backends.workflow import ArgoBackend

CLUSTER_BACKENDS: dict[BackendName, RunBackend] = {
    backend.name: backend for backend in (JobBackend(), ArgoBackend(), JobSetBackend(), TrainJobBackend())
}
"""The backends by the value of ``--backend``."""
