"""Build every overlay of k8s/ and check each object against the schemas of Kubernetes, unknown fields included."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from tools.generated import ROOT
from tools.programs.kustomize import kustomize

K8S = ROOT / "k8s"
# The oldest that has every field in use, and the newest with schemas.
VERSIONS = ("1.30", "1.34")
# Kueue's own kinds have no schema.
FOREIGN = "kueue.x-k8s.io/"


def main() -> int:
    """Print what is wrong, one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=sorted((K8S / "overlays").iterdir()))
    wrong, checked = 0, 0
    for folder in parser.parse_args().folders:
        for thing in objects(folder):
            for version in VERSIONS:
                checked += 1
                for complaint in complaints(thing, version):
                    wrong += 1
                    print(f"{folder.name}: {thing['kind']} {thing['metadata']['name']} ({version}): {complaint}")
    print(f"{checked} checks of manifests, {wrong} complaints")
    return int(wrong > 0)


def objects(folder: Path) -> list[dict[str, Any]]:
    """Return the objects that kustomize builds of a folder."""
    built = subprocess.run([kustomize(), "build", folder], check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(built.stdout))


def complaints(thing: dict[str, Any], version: str) -> Iterator[str]:
    """Yield what the schema of a version of Kubernetes refuses in an object."""
    if thing["apiVersion"].startswith(FOREIGN):
        return
    try:
        kubernetes_validate.validate(thing, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


if __name__ == "__main__":
    sys.exit(main())
