"""Operation manual: train with the cgcnn backend. See --help."""

from phase2.cli.manual import train_backend
from phase2.cli.process.exit import run_and_exit

run_and_exit(lambda: train_backend("train_multitask_cgcnn"))
