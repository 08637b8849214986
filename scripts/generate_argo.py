"""Generate the manifests below argo from the table of levels; with --check, fail when one is stale."""

import sys

from argo_manifests.files import files
from generated import ROOT, write_or_check

FOLDER = ROOT / "argo"

if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, FOLDER, files(), list(FOLDER.rglob("*.yaml"))))
