"""Location of the kubeconfig, and its namespace; the official client reads the rest of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from phase2.cluster.request.resources import DEFAULT_NAMESPACE
from phase2.storage.disk.home import expand_home

POD_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def kubeconfig() -> str:
    """Return the path of the kubeconfig, or several paths separated by colons."""
    return os.environ.get("KUBECONFIG") or str(expand_home("~/.kube/config"))


def kubeconfig_files() -> list[Path]:
    """Return the files of the kubeconfig that exist."""
    return [path for name in kubeconfig().split(os.pathsep) if name and (path := Path(name)).is_file()]


def context_namespace(context: str | None = None) -> str:
    """Return the namespace of a context, or of this pod; ``phase2`` if neither names one.

    Args:
        context: Name of the context; None is the current one.
    """
    import yaml

    files = [_mapping(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in kubeconfig_files()]
    if not files and POD_TOKEN.is_file():
        return POD_TOKEN.with_name("namespace").read_text(encoding="utf-8").strip() or DEFAULT_NAMESPACE
    wanted = context or next((name for file in files if (name := file.get("current-context"))), None)
    entries = [_mapping(entry) for file in files for entry in file.get("contexts") or []]
    chosen = next((entry for entry in entries if entry.get("name") == wanted), {})  # the first one wins, as in kubectl
    return str(_mapping(chosen.get("context")).get("namespace") or DEFAULT_NAMESPACE)


def _mapping(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}
