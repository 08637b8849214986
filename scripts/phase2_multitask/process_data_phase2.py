"""Operation manual: build the graph store of a data set ahead of training. See --help."""

from phase2.cli.manual import process_data_phase2
from phase2.cli.process.exit import run_and_exit

run_and_exit(process_data_phase2)
