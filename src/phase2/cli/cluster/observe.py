"""``phase2 observe``: Events and metrics of what ``phase2 status`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption, connected, namespace_of
from phase2.cli.console import note
from phase2.config.settings import STORE_VARIABLE, store_url
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cluster.observer.metrics import RunMetrics

METRICS_PORT = 9090


def observe(
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    metrics_port: Annotated[
        int, typer.Option("--metrics-port", min=0, max=65535, help="Port of /metrics; 0 serves none.")
    ] = METRICS_PORT,
    period: Annotated[float, typer.Option("--period", min=1, max=600, help="Seconds between two looks.")] = 15.0,
    check_store: Annotated[  # noqa: FBT002
        bool, typer.Option("--check-store", help=f"Also say whether the store in ${STORE_VARIABLE} answers.")
    ] = False,
) -> None:
    """Watch the runs of a namespace: record an Event on a Job or Workflow at each new state, and serve metrics."""
    from phase2.cluster.observer.loop import Observer
    from phase2.cluster.observer.metrics import RunMetrics
    from phase2.cluster.observer.store import StoreProbe

    cluster = connected(context, namespace_of(context, namespace))
    metrics = RunMetrics(cluster.namespace)
    url = store_url() if check_store else None
    if check_store and url is None:
        raise RequestError("No store is named.", why=f"${STORE_VARIABLE} is not set.", fix="Set it, as runs have it.")
    if metrics_port:
        _serve(metrics, metrics_port)
    note(f"observing the namespace {cluster.namespace}")
    Observer(cluster, metrics, note, period=period, store=StoreProbe(url) if url else None).run()


def _serve(metrics: RunMetrics, port: int) -> None:
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    registry.register(metrics)
    start_http_server(port, registry=registry)
