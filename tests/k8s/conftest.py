"""What kustomize makes of k8s/."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def kustomize(tmp_path_factory):
    """Builds a folder of k8s/; components are put on top of the base."""
    if shutil.which("go") is None and not os.environ.get("CI"):
        pytest.skip("kustomize is built from its source: install Go")

    def build(name: str) -> str:
        folder = PROJECT / "k8s" / name
        if name.startswith("components/"):
            top = tmp_path_factory.mktemp("top")
            places = {"resources": PROJECT / "k8s" / "base", "components": folder}
            content = {key: [os.path.relpath(path, top.resolve())] for key, path in places.items()}
            (top / "kustomization.yaml").write_text(yaml.safe_dump(content))
            folder = top
        words = [sys.executable, "-m", "tools.programs.kustomize", "build", str(folder)]
        return subprocess.run(words, check=True, capture_output=True, text=True, cwd=PROJECT).stdout

    return build


@pytest.fixture(scope="session")
def objects(kustomize):
    """The objects of a folder."""
    return lambda name: list(yaml.safe_load_all(kustomize(name)))
