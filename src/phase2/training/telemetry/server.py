"""HTTP endpoint that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, start_http_server

from phase2.errors import RequestError
from phase2.training.callbacks.progress import TrainingProgress
from phase2.training.telemetry.collector import TrainingCollector


@contextmanager
def serve_metrics(port: int) -> Iterator[TrainingProgress]:
    """Serve ``/metrics`` on all addresses of this machine, in a background thread, during a block.

    Args:
        port: Port to listen on; 0 takes a free one.

    Yields:
        Callback of the training whose metrics are served.

    Raises:
        RequestError: The port cannot be listened on.
    """
    registry, progress = CollectorRegistry(), TrainingProgress()
    registry.register(TrainingCollector(progress))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    try:
        server, thread = start_http_server(port, registry=registry)
    except (OSError, OverflowError) as error:
        raise RequestError(
            f"Metrics cannot be served on port {port}.",
            why=f"{error}.",
            fix="Give another port with --metrics-port, or leave it out.",
        ) from error
    try:
        yield progress
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
