"""Run Helm, built from its Go module once: ``python -m tools.programs.helm template phase2 charts/phase2-runner``.

One version for everybody, since versions differ in what they refuse. Any other serves to install.
"""

import os
import sys
from pathlib import Path

from .go import go_program

VERSION = "v4.3.1"


def helm() -> Path:
    """Return the path of Helm."""
    stamp = f"-s -w -X helm.sh/helm/v4/internal/version.version={VERSION}"
    return go_program("helm", "helm.sh/helm/v4/cmd/helm", VERSION, "-trimpath", "-ldflags", stamp)


if __name__ == "__main__":
    program = str(helm())
    os.execv(program, [program, *sys.argv[1:]])
