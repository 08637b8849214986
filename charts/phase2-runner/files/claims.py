"""Say why a claim has no volume: ``python3 -c ... CLAIM ...``, in a pod that may read claims and events."""

import json
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT = "kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true"


def get(path: str) -> dict | None:
    """Return an object of the namespace; None if it is not there."""
    where = f"https://kubernetes.default.svc/api/v1/namespaces/{(ACCOUNT / 'namespace').read_text()}"
    request = urllib.request.Request(f"{where}/{path}")  # noqa: S310 - https alone
    request.add_header("Authorization", f"Bearer {(ACCOUNT / 'token').read_text()}")
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT  # authorities of clusters often lack extensions
    try:
        with urllib.request.urlopen(request, timeout=30, context=trusted) as response:  # noqa: S310 - likewise
            return json.load(response)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise SystemExit(f"The API server refuses to read {path}: {error}") from error
    except OSError as error:
        raise SystemExit(f"The API server at {where} does not answer: {error}") from error


def complaint(name: str, claim: dict | None, events: list[dict]) -> str | None:
    """Return what keeps pods with this claim from starting; None if nothing does.

    A class that waits for the first pod leaves a claim Pending, and complains of nothing.
    """
    if claim is None:
        return f"There is no claim {name}. Create it, or set dataCache.create=true."
    if claim["status"].get("phase") == "Bound":
        return None
    storage_class = claim["spec"].get("storageClassName")
    warnings = [one["message"] for one in events if one.get("type") == "Warning" and one.get("message")]
    if storage_class is None and not claim["spec"].get("volumeName"):
        return (
            f"The claim {name} has no volume: it names no StorageClass, and this cluster has no default one. "
            f"Name one (dataCache.storageClass), make one the default ({DEFAULT}), or set dataCache.enabled=false."
        )
    if warnings or claim["status"].get("phase") == "Lost":
        said = warnings[-1] if warnings else "its volume is lost"
        return f"The claim {name} (StorageClass '{storage_class or ''}') has no volume: {said}"
    return None


def events_of(name: str) -> list[dict]:
    """Return the events of a claim, oldest first."""
    chosen = quote(f"involvedObject.kind=PersistentVolumeClaim,involvedObject.name={name}")
    items = (get(f"events?fieldSelector={chosen}") or {}).get("items", [])
    return sorted(items, key=lambda one: one.get("lastTimestamp") or one["metadata"]["creationTimestamp"])


def main(names: list[str]) -> None:
    """Print what is wrong with each claim; exit 1 if something is."""
    found = [complaint(name, get(f"persistentvolumeclaims/{name}"), events_of(name)) for name in names]
    said = [one for one in found if one is not None]
    sys.stdout.write("\n".join(said or [f"Claims that pods can use: {', '.join(names)}"]) + "\n")
    raise SystemExit(1 if said else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
