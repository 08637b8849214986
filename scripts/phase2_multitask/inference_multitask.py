"""Operation manual: predict the properties of one structure or of a folder. See --help."""

from phase2.cli.manual import inference_multitask
from phase2.cli.process.exit import run_and_exit

run_and_exit(inference_multitask)
