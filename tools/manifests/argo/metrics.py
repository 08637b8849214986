"""Metrics that Argo's controller counts for the workflows, named ``argo_workflows_...`` where Prometheus reads them."""

from hera.workflows import models

from .parameters import ALGORITHM, LEVEL, PARAMETERS, tag

ENDED, DURATION = "phase2_runs", "phase2_run_seconds"

_BUCKETS = (60, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600)
"""Of the duration, seconds: from a smoke run to a deadline."""


def workflow_metrics(template: str) -> models.Metrics:
    """Return the metrics of the Workflows of a template, which count when one ends.

    The label of the namespace is not called ``namespace``, which Prometheus keeps for that of the controller.
    """
    values = {"status": "{{workflow.status}}", "template": template, "run_namespace": "{{workflow.namespace}}"}
    values |= {one.name: tag(one.name) for one in (ALGORITHM, LEVEL) if one in PARAMETERS[template]}
    labels = [models.MetricLabel(key=key, value=value) for key, value in values.items()]
    ended = models.Prometheus(
        name=ENDED, help="Workflows of phase2 that ended.", labels=labels, counter=models.Counter(value="1")
    )
    duration = models.Prometheus(
        name=DURATION,
        help="Seconds from the start of a workflow of phase2 to its end.",
        labels=labels,
        histogram=models.Histogram(value="{{workflow.duration}}", buckets=[float(one) for one in _BUCKETS]),
    )
    return models.Metrics(prometheus=[ended, duration])
