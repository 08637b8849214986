"""Operation manual: train with the cgcnn backend. See --help."""

import sys

from phase2.cli.manual import train_backend

sys.exit(train_backend("train_multitask_cgcnn"))
