"""Generate the reference and the index of the decisions; with --check, fail when a page is stale."""

import sys

from tools.generated import write_or_check

from .pages import FOLDER, pages

if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, FOLDER, pages()))
