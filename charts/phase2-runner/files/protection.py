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
