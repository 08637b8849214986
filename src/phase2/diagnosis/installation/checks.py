"""All checks of an installation. What may not be read is said, and does not count as a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from phase2.cluster.api.errors import ForbiddenError
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.argo import check_controller, check_templates, check_waiting_workflows
from phase2.diagnosis.installation.classes import check_priorities, check_runtimes
from phase2.diagnosis.installation.nightly import check_nightly, check_queues
from phase2.diagnosis.installation.pods import check_data_cache, check_quota, check_security, check_service_account
from phase2.diagnosis.installation.policies import check_admission, check_network
from phase2.diagnosis.installation.reader import NamespaceReader
from phase2.diagnosis.installation.rights import check_rights
from phase2.diagnosis.installation.store import check_run_defaults, check_store_address, check_store_keys
from phase2.errors import RequestError

Check = Callable[[NamespaceReader], Iterator[Finding]]

CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("store", "address", check_store_address),
    ("store", "access keys", check_store_keys),
    ("runs", "defaults", check_run_defaults),
    ("runs", "queues", check_queues),
    ("runs", "nightly", check_nightly),
    ("pods", "Pod Security", check_security),
    ("pods", "service account", check_service_account),
    ("pods", "data cache", check_data_cache),
    ("pods", "priority classes", check_priorities),
    ("pods", "runtime classes", check_runtimes),
    ("pods", "quota", check_quota),
    ("policies", "admission", check_admission),
    ("policies", "network", check_network),
    ("argo", "templates", check_templates),
    ("argo", "workflows", check_waiting_workflows),
    ("argo", "controller", check_controller),
    ("rights", "of this user", check_rights),
)
"""Topic and name of each check, for what it may not read."""


def check_installation(reader: NamespaceReader) -> Iterator[Finding]:
    """Check an installation in a namespace.

    Raises:
        TransientError: The server does not answer.
    """
    yield Finding("cluster", "server", f"{reader.server}, namespace {reader.namespace}")
    for topic, name, check in CHECKS:
        try:
            yield from check(reader)
        except ForbiddenError as error:
            yield Finding(topic, name, f"may not be read: {error.why}")
        except RequestError as error:
            yield Finding(topic, name, "failed", Problem.of(error))
