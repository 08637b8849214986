"""Readiness of a pod that trains: it is ready, and so protected from evictions, for this many hours: ``... HOURS``."""

import os
import sys
from pathlib import Path

STARTED = 19  # ticks since boot, of the fields of /proc/1/stat after the name of the process


def age() -> float:
    """Return the age of the container's first process, seconds."""
    fields = Path("/proc/1/stat").read_text().rpartition(")")[2].split()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return uptime - int(fields[STARTED]) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if age() > 3600 * float(sys.argv[1]):
        raise SystemExit(f"this pod has run for {sys.argv[1]} h: an eviction may end it, and the run resumes elsewhere")
