"""Round trips of the run's JSON files, and what happens to damaged ones."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from phase2.errors import ModelFileError
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.attempts import Attempt, begin_attempt, end_attempt
from phase2.runs.records.manifest import RunManifest, read_manifest
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.records import read_record, read_rows, write_record, write_rows
from phase2.storage.urls import open_store

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
property_results = st.builds(
    PropertyMetrics,
    key=st.sampled_from(["band_gap", "ehull"]),
    unit=st.sampled_from(["eV", "", "C/m2"]),
    count=st.integers(0, 10**9),
    **dict.fromkeys(("mae", "rmse", "r2", "baseline_mae", "ratio"), numbers),
)
parts = st.lists(property_results, max_size=3).map(tuple)


def strict_json(path):
    def refuse(token):
        raise AssertionError(token)

    return json.loads(path.read_text(), parse_constant=refuse)


@given(val=parts, test=parts, score=numbers, left_out=st.lists(st.text(max_size=5)).map(tuple))
def test_results_survive_the_round_trip(tmp_path_factory, val, test, score, left_out):
    path = tmp_path_factory.mktemp("run") / "results.json"
    results = Results(
        run_id="a",
        algorithm="e3nn",
        mode="competition",
        properties=("band_gap",),
        left_out=left_out,
        best_epoch=1,
        epochs=2,
        score=score,
        train_labels={"band_gap": 4},
        mean_epoch_seconds=0.5,
        val=val,
        test=test,
    )
    write_record(path, results)
    strict_json(path)
    assert read_record(path, Results) == results


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # a manifest is immutable
@given(test=parts, score=numbers, image=st.none() | st.text(), minutes=st.integers(0, 59))
def test_manifests_survive_the_round_trip(tmp_path_factory, manifest, test, score, image, minutes):
    path = tmp_path_factory.mktemp("run") / "run_manifest.json"
    attempt = Attempt(start=datetime(2026, 1, 1, 0, minutes, 1, 7, tzinfo=UTC), outcome="killed")
    code = manifest.code.model_copy(update={"image_digest": image})
    changes = {"val": test, "test": test, "score": score, "code": code, "attempts": (attempt,)}
    written = manifest.model_copy(update=changes)
    write_record(path, written)
    strict_json(path)
    assert read_manifest(path) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_never_reaches_a_file(results, value):
    with pytest.raises(ValidationError):
        Results.model_validate(results.model_dump() | {"score": value})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text[: len(text) // 2], "damaged"),
        (lambda _: "", "damaged"),
        (lambda _: "[]", "damaged"),
        (lambda _: "\x00\xff", "damaged"),
        (lambda text: text.replace('"run_id"', '"run"', 1), "damaged"),
        (lambda text: text.replace('"score": 0.6625', '"score": NaN'), "damaged"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), "newer phase2"),
        (lambda text: text.replace("+00:00", "").replace("Z", ""), "timezone"),
    ],
)
def test_damaged_and_newer_manifests_are_refused(run, manifest, change, expected):
    manifest.seal(run)
    run.manifest.write_text(change(run.manifest.read_text()), encoding="latin-1")
    with pytest.raises(ModelFileError, match=expected) as caught:
        read_manifest(run.manifest)
    assert str(run.manifest) in str(caught.value)
    assert caught.value.exit_code == 4


def test_missing_manifest_is_a_clear_error(run):
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_manifest(run.manifest)


def verified(run):
    return PublishedRun.open(open_store(run.path.parent.parent), f"{run.family}/{run.name}").verify()


def test_manifest_lists_every_file_with_its_checksum(run, manifest):
    run.best.write_bytes(b"weights")
    run.history.write_text("[]\n")
    (run.path / "logs").mkdir()
    (run.path / "logs" / "a.txt").write_text("a")
    sealed = manifest.seal(run)
    assert [a.path for a in sealed.artifacts] == ["best.pt", "history.json", "logs/a.txt"]
    assert sealed.artifacts[0].bytes == 7
    assert read_manifest(run.manifest) == sealed
    assert verified(run).intact

    run.best.write_bytes(b"weighty")
    run.history.unlink()
    (run.path / "note.txt").write_text("mine")
    found = verified(run)
    assert (found.damaged, found.missing, found.extra) == (("best.pt",), ("history.json",), ("note.txt",))
    assert not found.intact


def test_manifest_of_a_run_that_failed_needs_no_results(run, recorded, manifest):
    failed = RunManifest.draft(
        recorded,
        status="failed",
        attempts=(),
        code=manifest.code,
        hardware=manifest.hardware,
        place=manifest.place,
    ).seal(run)
    assert read_manifest(run.manifest) == failed
    assert (failed.properties, failed.score, failed.data) == (recorded.config.properties, None, None)


def test_run_config_survives_the_round_trip_with_the_digest_of_its_config(run, resolved):
    written = RecordedConfig.record(run, resolved)
    assert RecordedConfig.read(run) == written
    assert written.digest == RecordedConfig.read(run).config.digest == resolved.config.digest
    assert written.command[:2] == ("phase2", "train")


def test_rows_survive_the_round_trip(run):
    rows = tuple(Attempt(start=datetime(2026, 1, 1, tzinfo=UTC), resumed_from=name) for name in (None, "epoch 3"))
    write_rows(run.attempts, rows)
    assert len(strict_json(run.attempts)) == 2
    assert read_rows(run.attempts, Attempt) == rows
    run.attempts.write_text("[{")
    with pytest.raises(ModelFileError, match="damaged"):
        read_rows(run.attempts, Attempt)


def test_an_attempt_without_a_recorded_end_was_killed(run):
    begin_attempt(run, host="one")
    begin_attempt(run, host="two", resumed_from="epoch 3")
    end_attempt(run, "interrupted", reason="SIGTERM")
    begin_attempt(run, host="one", resumed_from="epoch 5")
    attempts = end_attempt(run, "finished")
    assert [a.outcome for a in attempts] == ["killed", "interrupted", "finished"]
    assert [a.resumed_from for a in attempts] == [None, "epoch 3", "epoch 5"]
    assert [a.end is None for a in attempts] == [True, False, False]
    assert attempts == read_rows(run.attempts, Attempt)
