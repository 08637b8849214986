"""Which run --resume continues."""

import pytest

from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.recorded_config import RecordedConfig
from phase2.runs.unfinished import differences, find_begun, find_unfinished


def start(output, resolved, name):
    path = output / resolved.config.family / name
    path.mkdir(parents=True)
    run = RunDirectory(path)
    RecordedConfig.record(run, resolved)
    return run


def test_newest_unfinished_run_of_the_same_config(tmp_path, resolved, manifest):
    start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    middle = start(tmp_path, resolved, "run_20260102T000000Z_bbbbbb")
    finished = start(tmp_path, resolved, "run_20260103T000000Z_cccccc")
    manifest.seal(finished)
    start(tmp_path, resolve(RunRequest(algorithm="cgcnn", level="smoke", epochs=4)), "run_20260104T000000Z_dddddd")
    assert find_unfinished(tmp_path, resolved.config) == middle


def test_interrupted_run_is_unfinished(tmp_path, resolved, manifest):
    run = start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    manifest.model_copy(update={"status": "interrupted"}).seal(run)
    assert find_unfinished(tmp_path, resolved.config) == run


def test_run_with_a_checkpoint_goes_first(tmp_path, resolved):
    older = start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    older.checkpoint.write_bytes(b"")
    start(tmp_path, resolved, "run_20260102T000000Z_bbbbbb")
    assert find_unfinished(tmp_path, resolved.config) == older


def test_run_that_is_being_worked_on_is_left_alone(tmp_path, resolved):
    run = start(tmp_path, resolved, "run_20260101T000000Z_aaaaaa")
    with run.lock(), pytest.raises(RequestError, match="no unfinished run"):
        find_unfinished(tmp_path, resolved.config)
    assert find_unfinished(tmp_path, resolved.config) == run


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


def test_rubbish_is_passed_over(tmp_path, resolved):
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
    assert find_unfinished(tmp_path, resolved.config) == run


def test_equal_configs_do_not_differ_and_long_lists_are_cut(resolved):
    other = resolve(RunRequest(algorithm="e3nn")).config
    assert differences(resolved.config, resolved.config) == ""
    shown = differences(resolved.config, other, most=2).split("; ")
    assert shown[0] == "algorithm: cgcnn -> e3nn"
    assert len(shown) == 3
    assert shown[2].startswith("and ")


def test_attempts_of_one_workflow_find_their_run(tmp_path, resolved):
    run = start(tmp_path, resolved, "run_20260101T000000Z_wf-1")
    assert find_begun(tmp_path, resolved.config, "wf-1") == run
    assert find_begun(tmp_path, resolved.config, "wf") is None


def test_attempts_with_other_settings_do_not_share_a_run(tmp_path, resolved):
    start(tmp_path, resolved, "run_20260101T000000Z_wf-1")
    other = resolve(RunRequest(algorithm="cgcnn", level="smoke", epochs=9))
    with pytest.raises(RequestError, match=r"'wf-1' exists with other settings.*training\.epochs: 3 -> 9"):
        find_begun(tmp_path, other.config, "wf-1")


def test_an_attempt_that_ended_before_it_wrote_anything_is_continued(tmp_path, resolved):
    run = RunDirectory.create(tmp_path, resolved.config.family, run_id="wf-1")
    assert find_begun(tmp_path, resolved.config, "wf-1") == run
