"""The allocator of the C library."""

import platform
import resource
import subprocess
import sys

FREE_AND_ALLOCATE = """
import resource, sys
from phase2.machine.allocator import keep_freed_memory
print(keep_freed_memory() if sys.argv[1] == "keep" else "")
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(20_000_000)
before = faults()
for _ in range(20):
    bytearray(20_000_000)
print(faults() - before)
"""


def page_faults(how):
    lines = subprocess.run(
        [sys.executable, "-c", FREE_AND_ALLOCATE, how], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return lines[0], int(lines[1])


def test_freed_memory_is_allocated_again_without_page_faults():
    kept, faults = page_faults("keep")
    assert kept == str(platform.libc_ver()[0] == "glibc")
    pages = 20 * 20_000_000 // resource.getpagesize()
    if kept == "True":
        assert faults < 0.1 * pages
        assert page_faults("default")[1] > 5 * faults
