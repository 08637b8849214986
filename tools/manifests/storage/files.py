"""Which generated policy is in which file."""

import json
from typing import get_args

from tools.manifests.storage.policies import Place, Role, Server

EXAMPLES = "docs/examples/storage"
MINIO = "k8s/components/minio/policies"
CHART = "charts/phase2-runner/files/storage"
_PLACE_OF_CHART = {"bucket": "BUCKET", "prefix": "PREFIX/"}


def files() -> dict[str, str]:
    """Return the content of every generated file, by its path in the repository."""
    found = {}
    for role in get_args(Role):
        for server in get_args(Server):
            found[f"{EXAMPLES}/{server}-{role}.json"] = _text(Place(server).policy(role))
            found[f"{CHART}/{server}-{role}.json"] = _text(Place(server, **_PLACE_OF_CHART).policy(role))
        found[f"{MINIO}/{role}.json"] = _text(Place("minio", bucket="phase2").policy(role))
    found[f"{EXAMPLES}/one-run.json"] = json.dumps(Place().policy_of_run(), separators=(",", ":")) + "\n"  # it is short
    return found


def _text(policy: dict[str, object]) -> str:
    return json.dumps(policy, indent=2) + "\n"
