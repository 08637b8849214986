"""Check of what pods get of the installation: the store's address and access keys, and defaults of runs."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.cluster.plan import STORE_CONFIG_MAP
from phase2.cluster.request import installation
from phase2.cluster.request.installation import CONFIG_MAP
from phase2.cluster.request.resources import STORE_SECRET
from phase2.config.settings import STORE_VARIABLE
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import CORE, NamespaceReader

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SETUP = "docs/how-to/kubernetes-setup.md says how to install phase2."


def check_store_address(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the ConfigMap with the address of the store."""
    found = reader.get(CORE, "configmaps", STORE_CONFIG_MAP)
    if found is None:
        problem = Problem(
            f"The ConfigMap {STORE_CONFIG_MAP} is missing.", "No pod starts without it: it names the store.", _SETUP, 2
        )
        yield Finding("store", "address", "-", problem)
        return
    data = found.get("data") or {}
    url = data.get(STORE_VARIABLE) or ""
    problem_of_url = None
    if not url.startswith("s3://"):
        what = f"{STORE_VARIABLE} of the ConfigMap {STORE_CONFIG_MAP} is '{url}'."
        problem_of_url = Problem(what, "Pods share no folder: their store is a bucket.", "Write s3://bucket/prefix.", 2)
    yield Finding("store", "address", url or "-", problem_of_url)
    yield Finding("store", "endpoint", str(data.get("AWS_ENDPOINT_URL_S3") or "AWS"))


def check_store_keys(reader: NamespaceReader) -> Iterator[Finding]:
    """Check that the Secret exists; its values are not looked at."""
    name = str(_given(reader).get(installation.STORE_SECRET) or STORE_SECRET)
    found = reader.get(CORE, "secrets", name)
    if found is None:
        fix = f"kubectl -n {reader.namespace} create secret generic {name} --from-env-file=/dev/stdin"
        problem = Problem(f"The Secret {name} is missing.", "No pod starts without it: it has the access keys.", fix, 2)
        yield Finding("store", "access keys", "-", problem)
        return
    missing = [key for key in _KEYS if key not in (found.get("data") or {})]
    value = f"the Secret {name} has them" if not missing else f"the Secret {name} lacks {', '.join(missing)}"
    problem_of_keys = None
    if missing:
        why = "Without keys the service account needs a role of the cloud."
        problem_of_keys = Problem(
            f"The Secret {name} lacks {', '.join(missing)}.", why, "Add them, or check that role."
        )
    yield Finding("store", "access keys", value, problem_of_keys)


def check_run_defaults(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the ConfigMap with what an installation gives to runs.

    Raises:
        RequestError: It says something that no run can be given.
    """
    found = reader.runs_config
    if found is None:
        what = f"The ConfigMap {CONFIG_MAP} is missing."
        problem = Problem(what, "phase2 submit then needs --image, and uses its own defaults.", _SETUP)
        yield Finding("runs", "defaults", "none", problem)
        return
    given = installation.Installation.parse(found.get("data") or {})
    yield Finding("runs", "image", given.image or "none: phase2 submit needs --image")


def _given(reader: NamespaceReader) -> dict[str, str]:
    return dict((reader.runs_config or {}).get("data") or {})
