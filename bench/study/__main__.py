"""Train a study and print its tables: ``python -m bench.study run --study sharing --store STUDY``.

``run`` trains, one after the other, the runs that are not finished in the store. Every one is an ordinary run of
``phase2 train`` with a run id of its own, so that a study that was interrupted continues, in the middle of a run, by
the same command. ``commands`` prints the command of each run, and ``table`` the validation errors of what is finished,
as mean and sample standard deviation over the seeds. ``record`` keeps them in bench/results, beside those of other
stores; without a store, ``table`` prints what is kept. Settings are chosen on validation errors; ``--test`` adds those
of the rows that were chosen on crystals that decided nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.study.declared import STUDIES
from bench.study.page import write_between_markers
from bench.study.recorded import StudyResult, record, recorded_file, recorded_results
from bench.study.results import Finished, errors_by_property, finished_runs
from bench.study.rows import SEEDS, Study, StudyRun
from bench.study.runner import command_line, train_missing, with_sources
from bench.study.tables import report
from phase2.config.settings import cache_dir
from phase2.errors import Phase2Error, RequestError
from phase2.output.wording import counted
from phase2.runs.addresses import stored_model_file
from phase2.storage.base import Store
from phase2.storage.urls import open_store


def main() -> int:
    """Carry out a command line; return its exit code."""
    chosen = _parser().parse_args()
    study = STUDIES[chosen.study]
    try:
        _check(chosen)
        runs = _runs(study, chosen)
        if chosen.command == "run":
            return train_missing(runs, chosen.store, chosen.output)
        if chosen.command == "commands":
            print("\n".join(command_line(run, chosen.store, chosen.output) for run in with_sources(runs)))
        elif chosen.command == "record":
            path = recorded_file(study.name)
            print(f"{path}: {counted(record(path, _stored(study, runs, chosen)), 'run')}")
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
    parser.add_argument("command", nargs="?", choices=("run", "table", "record", "commands"), default="run")
    parser.add_argument("--study", choices=tuple(STUDIES), default="sharing")
    parser.add_argument("--store", help="store of the runs: a folder or s3://bucket/prefix; table does without it")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--rows", nargs="+", default=[], metavar="NAME", help="variants (muon) or rows (muon/four)")
    parser.add_argument("--epochs", type=int, help="epochs of every run (default: those of the study)")
    parser.add_argument("--data", help="your copy of the data, or another data set")
    parser.add_argument("--output", type=Path, default=cache_dir() / "study", help="folder for runs in progress")
    parser.add_argument("--test", action="store_true", help="with --rows: also errors on held-out crystals")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="with table: also replace the tables of this page")
    return parser


def _check(chosen: argparse.Namespace) -> None:
    if chosen.store is None and chosen.command != "table":
        raise RequestError(f"{chosen.command} needs a store.", fix="Name it with --store.")
    if chosen.test and not (chosen.rows and chosen.store):
        raise RequestError(
            "--test needs --rows and --store.",
            why="Errors on held-out crystals are for the rows that validation errors chose.",
            fix="Name these rows and the store that has them: --rows muon --store STUDY.",
        )
    if chosen.write is not None and (chosen.store or chosen.rows or chosen.command != "table"):
        raise RequestError(
            "--write needs table, without --store and --rows.",
            why="A page shows all results that are kept, so that it can be written again by anybody.",
            fix="Keep the results with record first.",
        )


def _runs(study: Study, chosen: argparse.Namespace) -> list[StudyRun]:
    return study.runs(chosen.rows, chosen.seeds, data=_training_data(study, chosen), epochs=chosen.epochs)


def _training_data(study: Study, chosen: argparse.Namespace) -> str:
    if study.data is not None:
        return chosen.data or study.data
    if chosen.data is None and chosen.store is None:
        return "sample"  # results are recorded without the address of the data
    if chosen.data is None:
        raise RequestError(f"The study {study.name} needs a file with a published split.", fix="Name it with --data.")
    from bench.published_split import part_file

    return str(part_file(Path(chosen.data), *study.seen))


def _print_tables(study: Study, runs: list[StudyRun], chosen: argparse.Namespace) -> None:
    if chosen.store is None:
        results = recorded_results(recorded_file(study.name), _with_others(study, runs, chosen.epochs))
    else:
        # The rows were chosen among all.
        shown = study.runs((), chosen.seeds, data=runs[0].data, epochs=chosen.epochs) if chosen.test else runs
        results = _stored(study, _with_others(study, shown, chosen.epochs), chosen)
    text = report(study, results, [one.run.row for one in results] + [run.row for run in runs])
    print(text)
    if chosen.write is not None:
        write_between_markers(chosen.write, study.name, text)


def _stored(study: Study, runs: list[StudyRun], chosen: argparse.Namespace) -> list[StudyResult]:
    """Return the results of finished runs; with ``--test`` those of the named rows also on held-out crystals."""
    store = open_store(chosen.store)
    rows = study.rows(chosen.rows)
    return [
        one.result(_heldout(study, store, one, chosen.data) if chosen.test and one.run.row in rows else None)
        for one in finished_runs(store, runs)
    ]


def _with_others(study: Study, runs: list[StudyRun], epochs: int | None) -> list[StudyRun]:
    """Add the runs that the others start from, and those of one property that they are compared with."""
    variants = {run.row.variant.alone for run in runs if run.row.variant.alone}
    rows = [row for row in study.rows() if row.variant.name in variants and len(row.properties) == 1]
    seeds, names = dict.fromkeys(run.seed for run in runs), [row.name for row in rows]
    alone = study.runs(names, list(seeds), data=runs[0].data, epochs=epochs) if names else []
    return list(dict.fromkeys([*with_sources(runs), *alone]))


def _heldout(study: Study, store: Store, finished: Finished, data: str | None) -> dict[str, float]:
    """Return errors on the test part or, of a file with a published split, on the part that no run has seen."""
    if study.data is not None or data is None:
        return errors_by_property(finished.manifest.test)
    from bench.heldout import predict_heldout
    from bench.published_split import part_file

    heldout = str(part_file(Path(data), study.heldout))
    return errors_by_property(predict_heldout(stored_model_file(store, finished.prefix), heldout).errors())


if __name__ == "__main__":
    sys.exit(main())
