"""What a report is made of, where files are missing, damaged, changed, or of an earlier version."""

import json

import pytest

from phase2.errors import RequestError
from phase2.runs.layout import CONFIG, MANIFEST, RunDirectory
from phase2.runs.publish.publish import publish_run
from phase2.runs.records.attempts import begin_attempt
from phase2.runs.remote.checkpoints import attempts_key
from phase2.runs.report.html.files import files_in_store, files_of_folder
from phase2.runs.report.html.inputs import read_run
from phase2.runs.report.html.page import report
from phase2.storage.folder import LocalStore


def read(run):
    return read_run(files_of_folder(run.path))


def test_everything_is_read_and_nothing_is_missing(full_run):
    found = read(full_run())
    assert found.notes == ()
    assert found.status == "finished"
    assert len(found.test.ids) == len(found.val.ids) == len(found.crystals.atoms) == 60
    assert len(found.history) == 4
    assert json.loads(found.manifest_text)["run_id"] == found.run_id


def test_predictions_are_read_as_they_were_written(full_run):
    from tests.runs.report.html.conftest import part_of

    written, found = part_of(("formation_energy", "bulk_modulus"), 60), read(full_run()).test
    assert found.reference.tolist() == written.reference.tolist()
    assert found.predicted.tolist() == written.predicted.tolist()
    assert list(found.ids) == list(written.ids)


@pytest.mark.parametrize("name", ["crystals.json", "predictions_test.csv", "predictions_val.csv", "history.json"])
def test_a_missing_file_costs_its_own_part_and_is_said(full_run, name):
    run = full_run()
    (run.path / name).unlink()
    found = read(run)
    assert [note for note in found.notes if note.startswith(f"{name} is missing")]
    assert run.run_id in report([found])


@pytest.mark.parametrize("name", ["crystals.json", "predictions_test.csv", "history.json"])
def test_a_changed_file_is_left_out_and_said(full_run, name):
    run = full_run()
    path = run.path / name
    path.write_bytes(path.read_bytes() + b"\n")
    found = read(run)
    assert [note for note in found.notes if note.startswith(f"{name} is not what the manifest lists")]
    assert run.run_id in report([found])


@pytest.mark.parametrize("name", ["crystals.json", "predictions_test.csv", "history.json"])
def test_a_file_that_cannot_be_read_is_left_out_and_said(make_run, tmp_path, name):
    run = make_run(tmp_path, files={name: b"\xff{"})
    found = read(run)
    assert [note for note in found.notes if note.startswith(f"{name} cannot be read")]
    assert run.run_id in report([found])


def test_an_unfinished_run_is_reported_as_far_as_it_goes(full_run):
    run = full_run()
    run.manifest.unlink()
    found = read(run)
    assert found.manifest is None
    assert found.test is None
    text = report([found])
    assert "did not finish" in text
    assert "no manifest" in " ".join(found.notes)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RequestError, match="is no run"):
        read(RunDirectory(tmp_path))


def test_a_run_of_the_first_version_is_reported(full_run):
    """0.1.0 wrote no baselines, intervals, lineage or crystals."""
    run = full_run()
    (run.path / "crystals.json").unlink()
    content = json.loads(run.manifest.read_text())
    for name in ("baselines", "intervals", "lineage"):
        content.pop(name)
    content["artifacts"] = [one for one in content["artifacts"] if one["path"] != "crystals.json"]
    run.manifest.write_text(json.dumps(content))
    found = read(run)
    assert [note.split()[0] for note in found.notes] == ["crystals.json"]
    assert "gradient boosting was not fitted" in report([found])


def test_a_published_run_is_read_from_its_store_alone(full_run, tmp_path):
    run = full_run()
    store = LocalStore(tmp_path / "bucket")
    publish_run(store, run)
    here = read(run)
    prefix = f"{run.family}/{run.name}"
    for path in run.path.iterdir():
        path.unlink()
    there = read_run(files_in_store(store, prefix))
    assert there.notes == ()
    assert there.where.endswith(prefix)
    assert there.manifest == here.manifest
    assert there.crystals == here.crystals


def test_an_unfinished_run_in_a_store_is_read_too(full_run, tmp_path):
    run = full_run()
    (run.path / MANIFEST).unlink()
    found = read_run(files_in_store(LocalStore(tmp_path / "models"), f"{run.family}/{run.name}"))
    assert found.manifest is None
    assert found.run_id == run.run_id


def test_a_run_whose_process_has_gone_is_killed_and_not_running(full_run):
    run = full_run()
    run.manifest.unlink()
    begin_attempt(run, host="here")
    found = read(run)
    assert found.status == "killed"
    assert "This run was killed after 4 of" in report([found])
    with run.lock():
        assert read(run).status == "running"


def test_the_attempts_of_an_unfinished_run_are_found_in_a_bucket(full_run, tmp_path):
    run = full_run()
    run.manifest.unlink()
    begin_attempt(run, host="pod-1")
    store, prefix = LocalStore(tmp_path / "bucket"), f"{run.family}/{run.name}"
    store.put(f"{prefix}/{CONFIG}", run.run_config)
    store.put(attempts_key(prefix), run.attempts)
    found = read_run(files_in_store(store, prefix))
    assert [one.host for one in found.attempts] == ["pod-1"]
    assert found.status == "running"
