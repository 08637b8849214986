"""Ingest of a million crystals: time, memory, what a kill costs, and opening and loading the finished store.

    python -m bench.million --folder /path/with/room [--crystals 1000000] [--workers 2] [--kill]

The crystals are those of the embedded sample with ten atoms, cells strained and atoms displaced at random (seed 0), one
JSON record a line with all labels that the sample has. They are written to the folder first: 0.6 KB each, and 4.1 KB
each in the finished store. Both are removed at the end. With --kill, the ingest runs a second time, is killed by
SIGKILL when half of the crystals are in, and continues; the two stores must have the same bytes.

The baseline is the loader of the CGCNN reference code on the same crystals, as in bench/import_crystals.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from itertools import islice
from pathlib import Path

import numpy as np
import psutil

from bench.import_crystals import measure_reference
from bench.perturbed import ATOMS, perturbed, write_crystals
from phase2.config.schema import DataConfig, GraphSpec
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.sources.file_source import FileSource
from phase2.data.store.store import open_or_build_store

TARGET_RATE, TARGET_MEMORY, TARGET_OPEN = 5_000, 2e9, 1.0


def main() -> int:
    options = _options()
    if options.step:
        STEPS[options.step](options)
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="million-") as folder:
        options.folder = Path(folder)
        return _measure(options)


def _measure(options: argparse.Namespace) -> int:
    start = time.perf_counter()
    labels = write_crystals(options.folder / "crystals.jsonl", options.crystals)
    size = (options.folder / "crystals.jsonl").stat().st_size
    seconds = time.perf_counter() - start
    print(f"{options.crystals} crystals of {ATOMS} atoms, {size / 1e6:.0f} MB of JSON lines written in {seconds:.0f} s")
    reference = measure_reference(list(islice(perturbed(options.crystals), 200)), 190)
    print(f"reference loader   {reference * 1e6:8.0f} us/crystal (on 190 of them)", flush=True)

    built, peak = _step("ingest", options)
    rate = options.crystals / built["seconds"]
    cpu = built["cpu"] / options.crystals * 1e6
    print(
        f"ingest             {built['seconds']:8.1f} s with {options.workers} workers: {rate:.0f} crystals/s,", end=" "
    )
    print(f"{reference * rate:.0f} times the reference loader, {cpu:.0f} us of CPU a crystal;", end=" ")
    print(f"peak {peak / 1e6:.0f} MB of all processes; {built['bytes'] / 1e6:.0f} MB on the disk", flush=True)
    whole = built["crystals"] == options.crystals and built["labels"] == labels
    print(f"labels             {'all there' if whole else 'LOST'}")
    opened, _ = _step("open", options)
    print(f"opened             {opened['map']:8.3f} s, after {opened['hash']:.2f} s to hash the JSON lines")
    loaded, memory = _step("load", options)
    print(f"split and loaded   {loaded['seconds']:8.1f} s, peak {memory / 1e6:.0f} MB", flush=True)
    if options.kill:
        whole &= _kill_and_continue(options, built["digests"])
    met = whole and rate >= TARGET_RATE and peak < TARGET_MEMORY and opened["map"] < TARGET_OPEN
    print(
        f"target: {TARGET_RATE} crystals/s, below {TARGET_MEMORY / 1e6:.0f} MB, opened in {TARGET_OPEN:g} s:", end=" "
    )
    print("met" if met else "NOT MET")
    return 0 if met else 1


def _kill_and_continue(options: argparse.Namespace, digests: list[str]) -> bool:
    shutil.rmtree(options.folder / "cache")
    with subprocess.Popen(_command("ingest", options), stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            if int(line.split()[1]) >= options.crystals // 2:
                process.kill()
                break
    resumed, _ = _step("ingest", options)
    same = bool(resumed["digests"] == digests)
    print(f"killed at half     {resumed['seconds']:8.1f} s to continue; {'the same bytes' if same else 'OTHER BYTES'}")
    return same


def ingest(options: argparse.Namespace) -> None:
    """Build the store, reporting the number of records done."""
    shown = 0

    def progress(done: int, _: int | None) -> None:
        nonlocal shown
        if done - shown >= options.crystals // 100:
            shown = done
            print("done", done, flush=True)

    source = FileSource(options.folder / "crystals.jsonl")
    start = time.perf_counter()
    store = open_or_build_store(
        source, GraphSpec(), cache_dir=options.folder / "cache", workers=options.workers, progress=progress
    )
    seconds, cpu = time.perf_counter() - start, sum(psutil.Process().cpu_times()[:4])
    answer = {
        "seconds": seconds,
        "cpu": cpu,
        "bytes": sum(path.stat().st_size for path in store.path.iterdir()),
        "crystals": len(store.graphs),
        "labels": zlib.crc32(np.asarray(store.graphs.targets).tobytes()),
        "digests": [_digest(path) for path in sorted(store.path.iterdir())],
    }
    print(json.dumps(answer))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reopen(options: argparse.Namespace) -> None:
    """Open the finished store."""
    source = FileSource(options.folder / "crystals.jsonl")
    start = time.perf_counter()
    _ = source.fingerprint
    hashed = time.perf_counter()
    open_or_build_store(source, GraphSpec(), cache_dir=options.folder / "cache")
    print(json.dumps({"hash": hashed - start, "map": time.perf_counter() - hashed}))


def load(options: argparse.Namespace) -> None:
    """Load the data set as a training does: split, labels, scaler."""
    config = DataConfig(source=str(options.folder / "crystals.jsonl"))
    start = time.perf_counter()
    CrystalPropertyDataset.load(config, ["formation_energy", "band_gap"], cache=options.folder / "cache")
    print(json.dumps({"seconds": time.perf_counter() - start}))


STEPS = {"ingest": ingest, "open": reopen, "load": load}


def _step(name: str, options: argparse.Namespace) -> tuple[dict, int]:
    """Run a step in a process of its own; return its answer, and the peak memory of it and its workers, bytes."""
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(_command(name, options), stdout=output) as process:
            peak, measured = 0, psutil.Process(process.pid)
            while process.poll() is None:
                peak = max(peak, _memory(measured))
                time.sleep(0.1)
        if process.returncode:
            raise RuntimeError(f"{name} ended with {process.returncode}.")
        output.seek(0)
        return json.loads(output.readlines()[-1]), peak


def _command(name: str, options: argparse.Namespace) -> list[str]:
    words = ["--step", name, "--folder", str(options.folder), "--crystals", str(options.crystals)]
    return [sys.executable, "-m", "bench.million", *words, "--workers", str(options.workers)]


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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room")
    parser.add_argument("--crystals", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="also kill and continue an ingest")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
