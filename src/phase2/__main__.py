"""``python -m phase2`` is the ``phase2`` command."""

import sys

from phase2.cli import main

sys.exit(main())
