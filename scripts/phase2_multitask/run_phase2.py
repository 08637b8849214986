"""Operation manual: train any algorithm at any level, or the competition profile. See --help."""

import sys

from phase2.cli.manual import run_phase2

sys.exit(run_phase2())
