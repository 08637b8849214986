"""Which failures are retried, how often and how soon."""

from hera.workflows import models

# Out of memory once: a run that does not fit does not fit a third time either.
_EXPRESSION = (
    '(lastRetry.status == "Error" || lastRetry.exitCode in ["-1", "75", "143"]'
    ' || (lastRetry.exitCode == "137" && (retries == "0" || !(lastRetry.message matches "OOMKilled"))))'
    ' && !(lastRetry.message matches "specified deadline")'
)


def retry(limit: int) -> models.RetryStrategy:
    """Return the strategy that retries transient failures; a bad request, data set or model file is final."""
    # No max_duration: Argo counts it from the first start of the step.
    backoff = models.Backoff(duration="10s", factor="2", cap="5m")
    return models.RetryStrategy(limit=str(limit), retry_policy="Always", expression=_EXPRESSION, backoff=backoff)
