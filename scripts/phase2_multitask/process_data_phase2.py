"""Operation manual: build the graph store of a data set ahead of training. See --help."""

import sys

from phase2.cli.manual import process_data_phase2

sys.exit(process_data_phase2())
