"""The objects of k8s/ and argo/, one per file, for the chart to load: ``.Files.Get`` leaves Argo's braces alone."""

from pathlib import Path
from typing import Any

import yaml

from tools.generated import ROOT
from tools.manifests.argo.files import manifests_by_file

K8S = ROOT / "k8s"

# What a chart does not bring: the namespace is the release's, a queue's quota is the cluster's.
_OTHERS = {"Namespace", "ClusterQueue", "ResourceFlavor", "Kustomization", "Component"}


def objects() -> dict[str, dict[str, Any]]:
    """Every object, by the name of its file below ``files``."""
    found = {f"k8s/{_name(one)}": one for path in _sources() for one in _documents(path.read_text(encoding="utf-8"))}
    for manifests in manifests_by_file().values():
        found |= {f"argo/{_name(one)}": one for one in manifests}
    return found


def _sources() -> list[Path]:
    return sorted([*K8S.glob("base/*.yaml"), *K8S.glob("components/*/*.yaml")])


def _documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one["kind"] not in _OTHERS]


def _name(one: dict[str, Any]) -> str:
    return f"{one['kind'].lower()}-{one['metadata']['name']}.yaml"
