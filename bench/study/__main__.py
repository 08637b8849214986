"""Train a study and print its tables: ``python -m bench.study run --study sharing --store STUDY``.

``run`` trains, one after the other, the runs that are not finished in the store. Every one is an ordinary run of
``phase2 train`` with a run id of its own, so that a study that was interrupted continues, in the middle of a run, by
the same command. ``table`` prints the validation errors of what is finished, as mean and sample standard deviation over
the seeds, and ``commands`` the command of each run. Settings are chosen on validation errors; ``--test`` shows those of
the rows that were chosen on crystals that decided nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.study.declared import STUDIES
from bench.study.page import write_between_markers
from bench.study.results import Finished, finished_runs
from bench.study.rows import Study, StudyRun
from bench.study.runner import command_line, train_missing
from bench.study.tables import StudyTables, legend, origin, tables_of
from phase2.config.settings import cache_dir
from phase2.errors import Phase2Error, RequestError
from phase2.runs.addresses import stored_model_file
from phase2.storage.base import Store
from phase2.storage.urls import open_store


def main() -> int:
    """Carry out a command line; return its exit code."""
    chosen = _parser().parse_args()
    study = STUDIES[chosen.study]
    try:
        runs = _runs(study, chosen)
        if chosen.command == "run":
            return train_missing(runs, chosen.store, chosen.output)
        if chosen.command == "commands":
            print("\n".join(command_line(run, chosen.store, chosen.output) for run in runs))
        else:
            _print_tables(study, runs, chosen)
    except Phase2Error as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=("run", "table", "commands"), default="run")
    parser.add_argument("--study", choices=tuple(STUDIES), default="sharing")
    parser.add_argument("--store", required=True, help="store of the runs: a folder or s3://bucket/prefix")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--rows", nargs="+", default=[], metavar="NAME", help="variants (muon) or rows (muon/four)")
    parser.add_argument("--epochs", type=int, help="epochs of every run (default: those of the study)")
    parser.add_argument("--data", help="your copy of the data, or another data set")
    parser.add_argument("--output", type=Path, default=cache_dir() / "study", help="folder for runs in progress")
    parser.add_argument("--test", action="store_true", help="with table and --rows: also errors on held-out crystals")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="with table: also replace the tables of this page")
    return parser


def _runs(study: Study, chosen: argparse.Namespace) -> list[StudyRun]:
    return study.runs(chosen.rows, chosen.seeds, data=_training_data(study, chosen.data), epochs=chosen.epochs)


def _training_data(study: Study, data: str | None) -> str:
    if study.data is not None:
        return data or study.data
    if data is None:
        raise RequestError(f"The study {study.name} needs a file with a published split.", fix="Name it with --data.")
    from bench.published_split import part_file

    return str(part_file(Path(data), *study.seen))


def _print_tables(study: Study, runs: list[StudyRun], chosen: argparse.Namespace) -> None:
    if chosen.test and not chosen.rows:
        raise RequestError(
            "--test needs --rows.",
            why="Errors on held-out crystals are for the rows that validation errors chose.",
            fix="Name these rows: --rows muon.",
        )
    store = open_store(chosen.store)
    # The rows were chosen among all.
    shown = study.runs((), chosen.seeds, data=runs[0].data, epochs=chosen.epochs) if chosen.test else runs
    finished = finished_runs(store, _with_runs_alone(study, shown, chosen.epochs))
    parts = [legend(study), *([origin(finished)] if finished else []), tables_of(study, finished, "val").text()]
    if chosen.test:
        named = [one for one in finished if one.run in runs]
        parts.append(_heldout(study, store, named, chosen.data).text())
    text = "\n\n".join(parts)
    print(text)
    if chosen.write is not None:
        write_between_markers(chosen.write, study.name, text)


def _with_runs_alone(study: Study, runs: list[StudyRun], epochs: int | None) -> list[StudyRun]:
    """Add the runs of one property that the others are compared with."""
    variants = {run.row.variant.alone for run in runs if run.row.variant.alone}
    rows = [row for row in study.rows() if row.variant.name in variants and len(row.properties) == 1]
    seeds, names = dict.fromkeys(run.seed for run in runs), [row.name for row in rows]
    alone = study.runs(names, list(seeds), data=runs[0].data, epochs=epochs) if names else []
    return list(dict.fromkeys([*alone, *runs]))


def _heldout(study: Study, store: Store, finished: list[Finished], data: str | None) -> StudyTables:
    """Return errors on the test part or, of a file with a published split, on the part that no run has seen."""
    if study.data is not None or data is None:
        return tables_of(study, finished, "test")
    from bench.heldout import predict_heldout
    from bench.published_split import part_file

    heldout = str(part_file(Path(data), study.heldout))
    errors = {}
    for one in finished:
        metrics = predict_heldout(stored_model_file(store, one.prefix), heldout).errors()
        errors[one.key] = {m.key: m.mae for m in metrics if m.mae is not None}
    return StudyTables(study, errors, {one.key: one.seconds for one in finished}, "held-out")


if __name__ == "__main__":
    sys.exit(main())
