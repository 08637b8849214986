"""Run kustomize, built from its Go module once: ``python scripts/kustomize.py build k8s/overlays/kind``.

One version for everybody, since versions differ in what they print. `kubectl apply -k` serves as well to install.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.storage.lock import wait_for_lock

VERSION = "v5.7.1"
MODULE = "sigs.k8s.io/kustomize/kustomize/v5"


def kustomize() -> Path:
    """The program; building it takes a minute or two the first time."""
    folder = cache_dir() / "programs" / f"kustomize-{VERSION}"
    program = folder / "kustomize"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        sys.exit("kustomize is built from its source: install Go 1.24 or newer.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(folder.with_name(f".{folder.name}.lock"), purpose="building kustomize"):
        if not program.exists():  # another process may have been faster
            _build(go, folder)
    return program


def _build(go: str, folder: Path) -> None:
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    environment = os.environ | {"GOBIN": str(making), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    try:
        subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=environment, check=True)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


if __name__ == "__main__":
    program = kustomize()
    os.execv(program, [program, *sys.argv[1:]])
