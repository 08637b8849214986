"""A study whose finished runs are written into a store without training them."""

from bench.study.results import finished_runs
from bench.study.rows import Study, StudyRun, Variant

from phase2.config.resolve import resolve
from phase2.machine.code import detect_code
from phase2.machine.hardware import detect_hardware
from phase2.machine.place import detect_place
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import begin_attempt, end_attempt
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.ids import claim_run_id

STUDY = Study(
    name="example",
    question="",
    epochs=4,
    settings=("model.size=small", "training.balance=uncertainty"),
    targets={"band_gap": ("band_gap",), "both": ("band_gap", "bulk_modulus")},
    variants=(Variant("plain", ""), Variant("equal", "", ("training.balance=equal",), "plain")),
)


def run_of(name, seed):
    """Return the run of a row with a seed."""
    (row,) = STUDY.rows([name])
    return StudyRun(row, seed, STUDY.epochs, "sample")


def finish(store, run, declared=None, code=None, **val):
    """Leave a finished run in a store, with these validation errors; test errors are ten times as large."""
    resolved = resolve((declared or run).request())
    directory = RunDirectory.create(store.root, resolved.config.family, run_id=run.run_id)
    recorded = RecordedConfig.record(directory, resolved)
    begin_attempt(directory, host="test")
    parts = [tuple(PropertyMetrics.from_errors(k, "", 9, mae=v * f) for k, v in val.items()) for f in (1, 10)]
    results = Results(
        run_id=run.run_id,
        algorithm="e3nn",
        mode="std",
        properties=tuple(val),
        best_epoch=1,
        epochs=4,
        score=0.2,
        train_labels=dict.fromkeys(val, 9),
        mean_epoch_seconds=2.5,
        val=parts[0],
        test=parts[1],
    )
    RunManifest.draft(
        recorded,
        status="finished",
        attempts=end_attempt(directory, "finished"),
        code=code or detect_code(),
        hardware=detect_hardware(),
        place=detect_place(),
        results=results,
    ).seal(directory)
    claim_run_id(store, run.run_id, f"{directory.family}/{directory.name}")


def results(store, runs):
    """Return the results of the runs that are finished in a store."""
    return [one.result() for one in finished_runs(store, runs)]


def finish_all(store, code=None):
    """Leave two rows with two seeds in a store, and return their runs."""
    runs = []
    for seed, alone, shared in ((42, 0.4, 0.5), (43, 0.5, 0.5)):
        runs += [run_of("plain/band_gap", seed), run_of("equal/both", seed)]
        finish(store, runs[-2], code=code, band_gap=alone)
        finish(store, runs[-1], code=code, band_gap=shared, bulk_modulus=10 * shared)
    return runs
