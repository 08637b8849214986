"""Generate the policies of the store of runs; with --check, fail when one is stale."""

import sys

from tools.generated import ROOT, write_or_check

from .files import CHART, EXAMPLES, MINIO, files

if __name__ == "__main__":
    there = [path for folder in (EXAMPLES, MINIO, CHART) for path in (ROOT / folder).glob("*.json")]
    others = {ROOT / EXAMPLES / "bucket-lifecycle.json"}
    sys.exit(write_or_check(__doc__, ROOT, files(), [path for path in there if path not in others]))
