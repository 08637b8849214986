"""Generate the admission policies of k8s/ from the code; with --check, fail when one is stale."""

import sys

from tools.generated import ROOT, write_or_check

from .files import files

if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, ROOT / "k8s", files()))
