"""Operation manual: predict the properties of one structure or of a folder. See --help."""

import sys

from phase2.cli.manual import inference_multitask

sys.exit(inference_multitask())
