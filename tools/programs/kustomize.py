"""Run kustomize, built from its Go module once: ``python -m tools.programs.kustomize build k8s/overlays/kind``.

One version for everybody, since versions differ in what they print. `kubectl apply -k` serves as well to install.
"""

import os
import sys
from pathlib import Path

from .go import go_program


def kustomize() -> Path:
    """Return the path of kustomize."""
    return go_program("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "v5.7.1")


if __name__ == "__main__":
    program = str(kustomize())
    os.execv(program, [program, *sys.argv[1:]])
