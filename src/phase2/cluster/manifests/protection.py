"""Protection of a training from evictions, which ends by itself: decision 028."""

from __future__ import annotations

from typing import Any

PROTECTED_LABEL, PROTECTED = "phase2.dev/protected", "true"
"""Label of the pods that the chart's PodDisruptionBudget protects while they are ready: none is without the probe."""

PROGRAM = '''\
"""Fail once the first process of the container has run for HOURS: ``-c ... HOURS``."""

import os
import sys
from pathlib import Path

STARTED = 19  # ticks since boot, of the fields of /proc/1/stat after the name of the process
fields = Path("/proc/1/stat").read_text().rpartition(")")[2].split()
uptime = float(Path("/proc/uptime").read_text().split()[0])
age = uptime - int(fields[STARTED]) / os.sysconf("SC_CLK_TCK")
if age > 3600 * float(sys.argv[1]):
    raise SystemExit(f"this pod has run for {sys.argv[1]} h: an eviction may end it, and the run resumes elsewhere")
'''
"""Program of the probe: it fails once the first process of its container is older than these hours."""


def readiness(hours: float) -> dict[str, Any]:
    """Return the readiness probe of a container that is protected for some hours from its start."""
    return {
        "exec": {"command": ["python3", "-c", PROGRAM, f"{hours:g}"]},
        "periodSeconds": 300,
        "timeoutSeconds": 30,
        "failureThreshold": 3,  # a node that is short of cores answers late once
    }
