"""Package the chart and push it to a registry as an OCI artifact: ``make chart-push REGISTRY=oci://host/folder``."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.generated import ROOT
from tools.programs.helm import helm

_REGISTRY = re.compile(r"oci://[a-z0-9.-]+(:\d+)?(/[a-z0-9._/-]+)?")


def main() -> int:
    """Print the reference and the digest of what was pushed."""
    registry = os.environ.get("REGISTRY", "").rstrip("/")
    if not _REGISTRY.fullmatch(registry):
        print(
            f"REGISTRY={registry!r} is no address of an OCI registry: write oci://registry.example.com/charts",
            file=sys.stderr,
        )
        return 2
    with tempfile.TemporaryDirectory() as folder:
        packaged = subprocess.run(
            [sys.executable, "-m", "tools.manifests.chart.package", "--to", folder],
            cwd=ROOT,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        if packaged.returncode:
            return packaged.returncode
        (package,) = Path(folder).glob("*.tgz")
        plain = ["--plain-http"] if os.environ.get("PLAIN_HTTP") else []
        return subprocess.run([helm(), "push", package, registry, *plain], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
