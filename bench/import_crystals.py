"""Time and memory of building the graphs of a data set, compared with the loader of the CGCNN reference code.

    python bench/import_crystals.py --data crystals.json.gz

The import is measured from the JSON file to the finished store on disk, in a process of its own whose memory (with its
workers') is sampled. The baseline does what the reference code (Xie & Grossman, 2018) does for each crystal: a pymatgen
Structure, get_all_neighbors within 8 angstrom, the 12 nearest, 41 Gaussians per distance. It is spared the reading of
CIF files. When records have a column "split", those of "train" are used.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

TARGET_RATIO, TARGET_MEMORY = 20, 1.5e9
WARM_UP = 3


def main() -> int:
    options = _options()
    if options.build is not None:
        return build(*options.build)
    records = _records(options.data, options.limit)
    print(f"{len(records)} crystals, {np.mean([len(r['atoms']['elements']) for r in records]):.1f} atoms on average")
    reference = measure_reference(records, options.reference)
    print(f"reference loader   {reference * 1e3:8.3f} ms/crystal  (on {options.reference} of them, drawn with seed 0)")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "crystals.json.gz"
        with gzip.open(data, "wt", compresslevel=6) as file:
            json.dump(records, file)
        del records
        ratio, peak = 0.0, 0
        for workers in (1, options.workers):
            seconds, n, peak = measure_import(data, Path(folder) / f"cache-{workers}", workers)
            ratio = reference / (seconds / n)
            print(
                f"phase2, {workers} worker(s) {seconds / n * 1e3:8.3f} ms/crystal  {seconds:6.2f} s for {n}"
                f"  {ratio:5.1f} times faster  peak {peak / 1e6:.0f} MB"
            )
    met = ratio >= TARGET_RATIO and peak < TARGET_MEMORY
    print(f"target: {TARGET_RATIO} times faster, below {TARGET_MEMORY / 1e6:.0f} MB: {'met' if met else 'NOT MET'}")
    return 0 if met else 1


def measure_reference(records: list[dict], count: int) -> float:
    """Measure the seconds per crystal of the reference loader on a random sample."""
    chosen = random.Random(0).sample(records, min(count + WARM_UP, len(records)))
    for record in chosen[:WARM_UP]:
        load_like_reference(record)
    start = time.perf_counter()
    for record in chosen[WARM_UP:]:
        load_like_reference(record)
    return (time.perf_counter() - start) / len(chosen[WARM_UP:])


def load_like_reference(record: dict) -> tuple[np.ndarray, np.ndarray]:
    """Run CIFData.__getitem__ of the reference code from the structure on, without its torch tensors."""
    from pymatgen.core import Structure

    atoms = record["atoms"]
    crystal = Structure(
        atoms["lattice_mat"], atoms["elements"], atoms["coords"], coords_are_cartesian=atoms["cartesian"]
    )
    neighbors = [sorted(near, key=lambda x: x[1]) for near in crystal.get_all_neighbors(8.0, include_index=True)]
    index, distance = [], []
    for near in neighbors:
        missing = 12 - len(near)
        index.append([x[2] for x in near[:12]] + [0] * missing)
        distance.append([x[1] for x in near[:12]] + [9.0] * missing)
    centers = np.arange(0, 8.2, 0.2)
    return np.array(index), np.exp(-((np.array(distance)[..., np.newaxis] - centers) ** 2) / 0.2**2)


def measure_import(data: Path, cache: Path, workers: int) -> tuple[float, int, int]:
    """Measure seconds, crystals, and the peak memory of the importing process and its workers, bytes."""
    command = [sys.executable, __file__, "--build", str(data), str(cache), str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak, importer = 0, psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(importer))
            time.sleep(0.02)
        seconds, n = json.loads(process.stdout.read() if process.stdout else "")
    return seconds, n, peak


def build(data: str, cache: str, workers: str) -> int:
    """Build the store in the measured process."""
    from phase2.config.schema import GraphSpec
    from phase2.data.sources.registry import open_source
    from phase2.data.store.store import open_or_build_store

    start = time.perf_counter()
    store = open_or_build_store(open_source(data), GraphSpec(), cache_dir=Path(cache), workers=int(workers))
    print(json.dumps([time.perf_counter() - start, len(store.graphs)]))
    return 0


def _resident(process: psutil.Process) -> int:
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:  # ended between two looks
        pass
    return total


def _records(data: str, limit: int | None) -> list[dict]:
    if data == "sample":
        return _sample()[:limit]
    path = Path(data)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        records = json.load(file)
    if any("split" in r for r in records):
        records = [r for r in records if r.get("split") == "train"]
    return records[:limit]


def _sample() -> list[dict]:
    """Return the embedded sample as records of JARVIS's schema."""
    from phase2.data.sources.registry import open_source

    source = open_source("sample")
    crystals = [source.parse(raw).crystal for raw in source.records()]
    return [
        {
            "jid": crystal.id,
            "atoms": {
                "lattice_mat": crystal.lattice.tolist(),
                "coords": crystal.frac.tolist(),
                "elements": list(crystal.symbols),
                "cartesian": False,
            },
        }
        for crystal in crystals
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="sample", help="sample, or a JSON or JSON.gz file in JARVIS's schema")
    parser.add_argument("--limit", type=int, help="use the first N records")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--reference", type=int, default=300, help="crystals given to the reference loader")
    parser.add_argument("--build", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
