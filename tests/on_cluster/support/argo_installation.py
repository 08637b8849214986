"""Argo's manifests as an administrator installs them with kustomize: an overlay that names the image."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.argo.manifests import DOCUMENTS, ROOT

from tools.programs.kustomize import kustomize

_OURS = {(one["kind"], one["metadata"]["name"]) for _, one in DOCUMENTS if "name" in one.get("metadata", {})}
_DEFAULTS = {"all": {"all": {"cpu": "250m", "memory": "2Gi"}}}


def argo_installation(image: str, folder: Path) -> str:
    """Return the manifests of the component, and the ConfigMap that says what runs get.

    Args:
        image: Image of the runs.
        folder: An empty folder for the overlay.
    """
    data = {"image": image, "defaults": yaml.safe_dump(_DEFAULTS)}
    metadata = {"name": "phase2-runs", "namespace": "phase2"}
    patch = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    own, top = folder / "own", folder / "top"
    _write(own, resources=[ROOT / "k8s" / "base"], patches=[{"patch": yaml.safe_dump(patch)}])
    _write(top, resources=[own], components=[ROOT / "k8s" / "components" / "argo"])
    built = subprocess.run([kustomize(), "build", top], check=True, capture_output=True, text=True).stdout
    things = [one for one in yaml.safe_load_all(built) if one]
    chosen = _OURS | {("ConfigMap", "phase2-runs")}
    return yaml.safe_dump_all(one for one in things if (one["kind"], one["metadata"]["name"]) in chosen)


def _write(folder: Path, **fields: list[Any]) -> None:
    folder.mkdir()
    named = {
        name: [os.path.relpath(one, folder.resolve()) if isinstance(one, Path) else one for one in listed]
        for name, listed in fields.items()
    }
    kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **named}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
