"""The manifests below argo, read once."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
ARGO = ROOT / "argo"
FILES = sorted(ARGO.rglob("*.yaml"))


def documents(path: Path) -> list[dict]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


DOCUMENTS = [(path, document) for path in FILES for document in documents(path)]


def of_kind(*kinds: str) -> dict[str, dict]:
    """Manifests by name, or by file where their name is generated."""
    return {
        document["metadata"].get("name", path.stem): document
        for path, document in DOCUMENTS
        if document["kind"] in kinds
    }


TEMPLATES = of_kind("WorkflowTemplate")


def parameters_of(workflow: dict) -> dict[str, str]:
    """Parameters with their values."""
    return {one["name"]: one["value"] for one in workflow["spec"].get("arguments", {}).get("parameters", [])}


def container_templates(template: dict) -> dict[str, dict]:
    """The templates that become pods, by name."""
    return {one["name"]: one for one in template["spec"]["templates"] if "container" in one}
