"""Operation manual: train any algorithm at any level, or the competition profile. See --help."""

from phase2.cli.manual import run_phase2
from phase2.cli.process import end_with

end_with(run_phase2)
