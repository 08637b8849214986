"""Time and memory of finding twins and near-twins of test crystals in a training part.

    python -m bench.near_twins [--crystals 76000] [--folder /path/with/room]

The crystals are those of the embedded sample with ten atoms, cells strained and atoms displaced at random
(bench/perturbed.py): some hundred of each formula, each compared with all others of its formula, as hard as it gets. A
random split tests a tenth. They are written to a folder that is removed at the end, and packed first; the measurement
is a process of its own. The baseline is the comparison of each pair by pymatgen's StructureMatcher, on 200 pairs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import combinations, islice
from pathlib import Path

import numpy as np

from bench.perturbed import perturbed, write_crystals
from phase2.config.schema import DataConfig
from phase2.data.dataset import open_graph_store
from phase2.data.splits.draw import draw_split
from phase2.data.twins.search import NEAR, TWIN, find_twins

TARGET_SECONDS, TARGET_MEMORY = 120.0, 1e9
_PAIRS = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", type=int, default=76_000)
    parser.add_argument("--folder", type=Path, help="folder with room for 5 KB a crystal (default: that of the system)")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(_measured(options.measure)))
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="near-twins-") as folder:
        data = Path(folder) / "crystals.jsonl"
        write_crystals(data, options.crystals)
        open_graph_store(DataConfig(source=str(data)), cache=data.parent)
        words = [sys.executable, "-m", "bench.near_twins", "--measure", str(data)]
        found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    each = _reference()
    print(
        f"{found['tested']:,} of {options.crystals:,} crystals: {found['cpu']:.1f} s of CPU, {found['seconds']:.1f} s; "
        f"peak {found['peak'] / 1e6:.0f} MB, {found['before'] / 1e6:.0f} MB of it before"
    )
    print(f"{found['twins']} have a twin, {found['near']} a near-twin")
    print(
        f"{found['pairs']:,} pairs of one formula: {found['cpu'] / found['pairs'] * 1e6:.2f} us of CPU a pair; "
        f"StructureMatcher {each * 1e6:.0f} us"
    )
    met = found["cpu"] < TARGET_SECONDS and found["peak"] < TARGET_MEMORY
    print(f"under {TARGET_SECONDS:.0f} s and {TARGET_MEMORY / 1e6:.0f} MB: {'yes' if met else 'NO'}")
    return 0 if met else 1


def _measured(data: Path) -> dict[str, float]:
    config = DataConfig(source=str(data))
    graphs = open_graph_store(config, cache=data.parent).graphs
    split = draw_split(graphs.ids, graphs.ids, seed=config.split_seed)
    before, cpu, start = _peak(), time.process_time(), time.perf_counter()
    found = find_twins(graphs, split.test, split.train, cutoff=config.graph.cutoff)
    names, tested = np.unique(graphs.formulas[split.test], return_counts=True)
    trained = dict(zip(*np.unique(graphs.formulas[split.train], return_counts=True), strict=True))
    return {
        "tested": len(split.test),
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "before": before,
        "peak": _peak(),
        "twins": int(np.count_nonzero(found.kind == TWIN)),
        "near": int(np.count_nonzero(found.kind == NEAR)),
        "pairs": int(sum(count * trained.get(name, 0) for name, count in zip(names, tested, strict=True))),
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _reference() -> float:
    """Measure the time that pymatgen takes for a pair of crystals of one formula, seconds."""
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core import Structure

    by_formula: dict[str, list[Structure]] = {}
    for record in islice(perturbed(20_000), 8_000):
        atoms = record["atoms"]
        assert isinstance(atoms, dict)
        made = Structure(atoms["lattice_mat"], atoms["elements"], atoms["coords"])
        by_formula.setdefault(made.reduced_formula, []).append(made)
    pairs = [pair for group in by_formula.values() for pair in islice(combinations(group, 2), 2)][:_PAIRS]
    matcher = StructureMatcher(scale=False)
    start = time.process_time()
    for one, other in pairs:
        matcher.fit(one, other)
    return (time.process_time() - start) / len(pairs)


if __name__ == "__main__":
    sys.exit(main())
