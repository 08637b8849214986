"""Train and score a published protocol: ``python -m bench.protocols run matbench --task log_kvrh ...``.

``run`` trains what is not finished in the store, one run for each fold and seed, and continues where it was stopped.
``score`` prints the published score of what is finished. Nothing is downloaded: the files are your copies.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.protocols.jarvis import jarvis
from bench.protocols.matbench import TASKS, matbench
from bench.protocols.protocol import Protocol
from bench.study.runner import command_line, train_missing
from phase2.config.settings import cache_dir
from phase2.errors import Phase2Error
from phase2.properties import KEYS
from phase2.storage.urls import open_store


def main() -> int:
    """Carry out a command line; return its exit code."""
    chosen = _parser().parse_args()
    try:
        protocol = _protocol(chosen)
        runs = protocol.runs(chosen.seeds, chosen.epochs, chosen.set)
        if chosen.command == "run":
            return train_missing(runs, chosen.store, chosen.output)
        if chosen.command == "commands":
            print("\n".join(command_line(run, chosen.store, chosen.output) for run in runs))
        else:
            print(protocol.table(protocol.errors(open_store(chosen.store), runs)))
    except Phase2Error as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _protocol(chosen: argparse.Namespace) -> Protocol:
    if chosen.protocol == "matbench":
        return matbench(chosen.task, chosen.data)
    return jarvis(chosen.property, chosen.data, chosen.split)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.protocols", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("run", "score", "commands"))
    protocols = parser.add_subparsers(dest="protocol", required=True)
    folds = protocols.add_parser("matbench", help="five folds of a task of matbench")
    folds.add_argument("--task", choices=tuple(TASKS), required=True)
    paper = protocols.add_parser("jarvis", help="the split of JARVIS-Leaderboard")
    paper.add_argument("--property", choices=KEYS, required=True)
    paper.add_argument("--split", type=Path, required=True, metavar="FILE", help="dft_3d_<column>.json.zip")
    for one in (folds, paper):
        one.add_argument("--data", type=Path, required=True, help="your copy of the data")
        one.add_argument("--store", required=True, help="store of the runs: a folder or s3://bucket/prefix")
        one.add_argument("--seeds", type=int, nargs="+", default=[42])
        one.add_argument("--epochs", type=int, default=100)
        one.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="a setting of every run")
        one.add_argument("--output", type=Path, default=cache_dir() / "study", help="folder for runs in progress")
    return parser


if __name__ == "__main__":
    sys.exit(main())
