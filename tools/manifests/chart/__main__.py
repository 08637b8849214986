"""Generate the chart's files that come from argo/, values.yaml and the code; with --check, fail when one is stale."""

import sys

from tools.generated import write_or_check

from .files import CHART, files

if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, CHART, files(), [*CHART.glob("files/a*/*.yaml")]))
