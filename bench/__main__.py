"""All benchmarks, one after the other: ``python -m bench [--data sample|PATH] [--threads N]``."""

from __future__ import annotations

import argparse
import subprocess
import sys

BENCHMARKS = {
    "import_crystals": ("--data",),
    "collation": ("--data", "--threads"),
    "cgcnn_step": ("--data", "--threads"),
    "equivariant_step": ("--data", "--threads"),
    "listing": (),
    "checkpoint_cost": ("--data",),
    "commands": (),
    "memory": ("--data",),
    "cpu_rates": (),
    "cpu_estimate": (),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="sample", help="data set or path that the benchmarks of data and models use")
    parser.add_argument("--threads", default="2")
    chosen = vars(parser.parse_args())
    failed = []
    for name, takes in BENCHMARKS.items():
        print(f"\n== {name}", flush=True)
        words = [word for option in takes for word in (option, chosen[option.lstrip("-")])]
        if subprocess.run([sys.executable, "-m", f"bench.{name}", *words], check=False).returncode:
            failed.append(name)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall ran")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
