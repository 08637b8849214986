"""``phase2 data describe`` on as many crystals as JARVIS-DFT has: CPU seconds and memory, with graphs to be built.

    python -m bench.describing [--crystals 76000] [--folder /path/with/room]

The crystals are those of ``bench.perturbed`` with ten atoms, and one in a hundred of them a second time as a supercell
of two cells, which has to be found equal to the first. They are written to a folder, 0.6 KB each, and removed at the
end with the graph store, 4.1 KB each. The command runs twice, as a user runs it: with the graphs to be built, and with
those that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.perturbed import perturbed

TARGET_CPU, TARGET_MEMORY = 180.0, 1e9
ONE_IN = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", type=int, default=76_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="describing-") as folder:
        data = Path(folder) / "crystals.jsonl"
        with data.open("w") as file:
            for record in islice(_with_copies(options.crystals), options.crystals):
                file.write(json.dumps(record) + "\n")
        copies = options.crystals // (ONE_IN + 1)
        met = [_describe(data, options.crystals, copies, name) for name in ("built", "there")]
        return 0 if all(met) else 1


def _with_copies(count: int) -> Iterator[dict[str, Any]]:
    for k, record in enumerate(perturbed(count)):
        yield record
        if k % ONE_IN == ONE_IN - 1:
            atoms: Any = record["atoms"]
            yield {**record, "jid": f"{record['jid']}-twice", "atoms": _doubled(atoms)}


def _doubled(atoms: dict) -> dict:
    lattice, coords = np.array(atoms["lattice_mat"]), np.array(atoms["coords"])
    lattice[0] *= 2
    halved = coords * [0.5, 1, 1]
    both = np.concatenate([halved, halved + np.array([0.5, 0, 0])])
    return {**atoms, "lattice_mat": lattice.tolist(), "coords": both.tolist(), "elements": atoms["elements"] * 2}


def _describe(data: Path, crystals: int, copies: int, graphs: str) -> bool:
    """Describe the crystals in a process of its own; print what it takes, and return whether that meets the target."""
    command = [sys.executable, "-m", "phase2", "data", "describe", "--data", str(data), "--format", "json"]
    environment = {**os.environ, "PHASE2_CACHE_DIR": str(data.parent / "cache"), "PHASE2_QUIET": "1"}
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, env=environment) as process:
            peak, measured = 0, psutil.Process(process.pid)
            while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
                peak = max(peak, _memory(measured))
                time.sleep(0.05)
            process.returncode = os.waitstatus_to_exitcode(ended[1])
        output.seek(0)
        found = json.load(output)
    seconds, cpu = time.perf_counter() - start, ended[2].ru_utime + ended[2].ru_stime
    whole = found["crystals"] == crystals and found["duplicated"] >= copies
    met = whole and cpu < TARGET_CPU and peak < TARGET_MEMORY
    print(f"graphs {graphs:6s} {cpu:7.1f} s of CPU, {seconds:6.1f} s, at most {peak / 1e6:.0f} MB;", end=" ")
    print(f"{found['crystals']} crystals, {found['duplicated']} equal to another one:", "met" if met else "NOT MET")
    sys.stdout.flush()
    return met


def _memory(process: psutil.Process) -> int:
    """Return the anonymous memory of a process and its children: mapped files are the system's to keep or drop."""
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            memory = one.memory_info()
            total += memory.rss - memory.shared
    except psutil.NoSuchProcess:  # ended between two looks
        pass
    return total


if __name__ == "__main__":
    sys.exit(main())
