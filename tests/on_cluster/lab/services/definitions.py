"""Definitions of further kinds, once the API server serves them."""

import json

from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.waiting import wait_until

_SECONDS = 60


def wait_until_served(cluster: ClusterBase, group: str) -> None:
    """Wait until the server serves every kind that is defined in an API group.

    ``kubectl wait`` fails where a definition has no status yet.
    """
    wait_until(lambda: _are_served(cluster, group), f"the kinds of {group} to be served", _SECONDS, pause=0.3)


def _are_served(cluster: ClusterBase, group: str) -> bool:
    found = json.loads(cluster.kubectl("get", "crd", "--output=json").stdout)["items"]
    return all(_is_established(one) for one in found if one["spec"]["group"] == group)


def _is_established(definition: dict) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or []
    is_established = any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
    return is_established and "deletionTimestamp" not in definition["metadata"]
