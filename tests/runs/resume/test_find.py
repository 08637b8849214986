"""Which run a request continues: by name, by id, or the newest unfinished one."""

from pathlib import Path

import pytest

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.delivery import deliver
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.ids import claim_run_id
from phase2.runs.resume.find import find_by_id, find_by_name, find_unfinished, names_finished_run
from phase2.storage.folder import LocalStore


def start(output, resolved, name):
    path = output / resolved.config.family / name
    path.mkdir(parents=True)
    run = RunDirectory(path)
    RecordedConfig.record(run, resolved)
    return run


def prefix_of(run):
    return f"{run.family}/{run.name}"


def test_newest_unfinished_run_of_the_same_config(tmp_path, resolved, manifest):
    start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    middle = start(tmp_path, resolved, "run_20260102T000000Z_bbbbbb")
    finished = start(tmp_path, resolved, "run_20260103T000000Z_cccccc")
    manifest.seal(finished)
    start(tmp_path, resolve(RunRequest(algorithm="cgcnn", level="smoke", epochs=4)), "run_20260104T000000Z_dddddd")
    assert find_unfinished(tmp_path, resolved.config).prefix == prefix_of(middle)


def test_interrupted_run_is_unfinished(tmp_path, resolved, manifest):
    run = start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    manifest.model_copy(update={"status": "interrupted"}).seal(run)
    assert find_unfinished(tmp_path, resolved.config).prefix == prefix_of(run)


def test_run_with_a_checkpoint_goes_first(tmp_path, resolved):
    older = start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    older.checkpoint.write_bytes(b"")
    start(tmp_path, resolved, "run_20260102T000000Z_bbbbbb")
    assert find_unfinished(tmp_path, resolved.config).prefix == prefix_of(older)


def test_a_run_of_another_process_is_left_alone(tmp_path, resolved):
    run = start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    with run.lock(), pytest.raises(RequestError, match="no unfinished run"):
        find_unfinished(tmp_path, resolved.config)
    assert find_unfinished(tmp_path, resolved.config).prefix == prefix_of(run)


def test_error_names_the_settings_that_differ(tmp_path, resolved):
    start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    other = resolve(RunRequest(algorithm="cgcnn", level="smoke", epochs=9, lr=0.5, properties=("ehull",)))
    with pytest.raises(RequestError) as caught:
        find_unfinished(tmp_path, other.config)
    assert "properties: formation_energy,band_gap,bulk_modulus,spillage -> ehull" in caught.value.why
    assert "training.epochs: 3 -> 9; training.lr: 0.001 -> 0.5" in caught.value.why
    assert "run_20260101T000000Z_aaaaaa" in caught.value.why
    assert caught.value.exit_code == 2


def test_nothing_at_all_is_an_error(tmp_path, resolved):
    with pytest.raises(RequestError, match="no unfinished run"):
        find_unfinished(tmp_path / "nowhere", resolved.config)


def test_foreign_files_are_ignored(tmp_path, resolved):
    run = start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    run.manifest.write_text('{"schema_ver')
    family = tmp_path / resolved.config.family
    (family / "run_20260102T000000Z_empty").mkdir()
    (family / "run_20260103T000000Z_file").write_text("")
    broken = family / "run_20260104T000000Z_broken"
    broken.mkdir()
    (broken / "run_config.json").write_bytes(b"\xff\xfe{")
    (family / "run_20260105T000000Z_folder" / "run_config.json").mkdir(parents=True)
    (family / "run_20260106T000000Z_gone").symlink_to(tmp_path / "gone")
    (family / "notes.txt").write_text("")
    assert find_unfinished(tmp_path, resolved.config).prefix == prefix_of(run)


def test_attempts_of_one_workflow_find_their_run(tmp_path, resolved):
    run = start(tmp_path, resolved, "run_20260101T000000Z_wf-1")
    existing = find_by_id(tmp_path, "wf-1")
    assert (existing.prefix, existing.run_id, existing.is_stored) == (prefix_of(run), "wf-1", False)
    assert existing.recorded.digest == resolved.config.digest
    assert find_by_id(tmp_path, "wf") is None


def test_an_attempt_that_ended_before_its_first_write_is_continued(tmp_path, resolved):
    run = RunDirectory.create(tmp_path, resolved.config.family, run_id="wf-1")
    assert find_by_id(tmp_path, "wf-1").prefix == prefix_of(run)


def test_a_run_is_found_by_name_on_this_machine_and_in_a_store(tmp_path, resolved):
    here, there = tmp_path / "here", tmp_path / "there"
    run = start(here, resolved, "run_20260101T000000Z_aaaaaa")
    other = start(there, resolved, "run_20260102T000000Z_bbbbbb")
    store = LocalStore(there)
    assert find_by_name(here, "aaaaaa", store).prefix == prefix_of(run)
    found = find_by_name(here, "run_20260102", store)
    assert (found.prefix, found.is_stored) == (prefix_of(other), True)
    with pytest.raises(RequestError, match="Did you mean 'bbbbbb'"):
        find_by_name(here, "bbbbbc", store)


def test_a_run_is_found_by_the_path_of_its_folder_in_the_output_folder(tmp_path, resolved, monkeypatch):
    run = start(tmp_path / "models", resolved, "run_20260101T000000Z_aaaaaa")
    start(tmp_path / "models", resolved, "run_20260102T000000Z_aaaaaa-1")
    elsewhere = start(tmp_path / "elsewhere", resolved, "run_20260103T000000Z_bbbbbb")
    monkeypatch.chdir(tmp_path)
    for path in (run.path, f"models/{prefix_of(run)}/", f"./elsewhere/../models/{prefix_of(run)}"):
        assert find_by_name(Path("models"), str(path)).prefix == prefix_of(run)
    monkeypatch.chdir(run.path)
    assert find_by_name(tmp_path / "models", ".").prefix == prefix_of(run)
    with pytest.raises(RequestError, match="There is no run"):
        find_by_name(tmp_path / "models", str(elsewhere.path))
    with pytest.raises(RequestError, match="There is no run"):
        find_by_name(tmp_path / "models", "x" * 5000)


def test_an_address_goes_with_its_store(tmp_path, resolved):
    other = start(tmp_path / "there", resolved, "run_20260102T000000Z_bbbbbb")
    address, here = other.path.as_uri(), tmp_path / "here"
    assert find_by_name(here, address, LocalStore(tmp_path / "there")).prefix == prefix_of(other)
    for store in (None, LocalStore(tmp_path / "third")):
        with pytest.raises(RequestError, match=r"Add --store file://.*there\."):
            find_by_name(here, address, store)


def test_an_unfinished_run_of_a_store_is_continued_where_it_is_the_newest(tmp_path, resolved):
    here, store = tmp_path / "here", LocalStore(tmp_path / "there")
    start(here, resolved, "run_20260101T000000Z_aaaaaa")
    other = start(tmp_path / "there", resolved, "run_20260102T000000Z_bbbbbb")
    assert find_unfinished(here, resolved.config, store).prefix == prefix_of(other)
    with pytest.raises(RequestError, match="there"):
        find_unfinished(here, resolved.config.model_copy(update={"seed": 7}), store)


def test_an_id_of_two_runs_is_refused(tmp_path, resolved):
    start(tmp_path, resolved, "run_20260101T000000Z_wf-1")
    store = LocalStore(tmp_path / "store")
    claim_run_id(store, "wf-1", "multitask_cgcnn/run_20260102T000000Z_wf-1")
    with pytest.raises(RequestError, match="belongs to two runs"):
        find_by_id(tmp_path, "wf-1", store)


def test_a_run_is_finished_in_a_store_where_a_request_names_it(tmp_path, resolved, manifest):
    store, run = LocalStore(tmp_path / "store"), start(tmp_path, resolved, f"run_20260101T000000Z_{manifest.run_id}")
    named = ResumeRequest(run_id=manifest.run_id)
    assert not names_finished_run(resolved, named, None)
    assert not names_finished_run(resolved, named, store)
    manifest.seal(run)
    deliver(store, run, notify=print)
    assert names_finished_run(resolved, named, store)
    assert names_finished_run(resolved, ResumeRequest(wanted=True, run=manifest.run_id), store)
    assert not names_finished_run(resolved, ResumeRequest(), store)
    assert not names_finished_run(resolved, ResumeRequest(run_id="bbbbbb"), store)
