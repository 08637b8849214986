"""Generate the manifests below argo from the table of levels; with --check, fail when one is stale."""

import sys

from tools.generated import ROOT, write_or_check

from .files import files

FOLDER = ROOT / "argo"

if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, FOLDER, files(), list(FOLDER.rglob("*.yaml"))))
