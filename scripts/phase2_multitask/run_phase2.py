"""Operation manual: train any algorithm at any level, or the competition profile. See --help."""

from phase2.cli.manual import run_phase2
from phase2.cli.process.exit import run_and_exit

run_and_exit(run_phase2)
