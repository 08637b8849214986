"""Lint the chart strictly with every profile, and check each object against the schemas of Kubernetes."""

import subprocess
import sys

import yaml

from tools.programs.helm import helm

from .chart.files import CHART
from .check_overlays import complaints

# The oldest that the chart supports, and the newest with schemas.
VERSIONS = ("1.31", "1.37")
_FOREIGN = ("argoproj.io/", "kueue.x-k8s.io/")
_RELEASE = ["phase2", str(CHART), "--namespace", "phase2", "--kube-version", f"{VERSIONS[0]}.0"]


def main() -> int:
    """Print what is wrong, one line each."""
    wrong, checked = [], 0
    for words in ([], *(["--values", str(path)] for path in sorted((CHART / "ci").iterdir()))):
        linted = subprocess.run(
            [helm(), "lint", str(CHART), "--strict", "--quiet", *words], capture_output=True, text=True, check=False
        )
        wrong += [linted.stdout + linted.stderr] if linted.returncode else []
        made = subprocess.run([helm(), "template", *_RELEASE, *words], capture_output=True, text=True, check=True)
        for thing in yaml.safe_load_all(made.stdout):
            if thing["apiVersion"].startswith(_FOREIGN):
                continue
            for version in VERSIONS:
                checked += 1
                about = f"{words[-1:]}: {thing['kind']} {thing['metadata']['name']} ({version})"
                wrong += [f"{about}: {complaint}" for complaint in complaints(thing, version)]
    print(*wrong, f"{checked} checks of the chart, {len(wrong)} complaints", sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
