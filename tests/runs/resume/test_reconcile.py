"""What is trained when a request continues a run: its own settings, accepted changes, or a refusal."""

from dataclasses import replace

import pytest

from phase2.config.assignments import Setting
from phase2.config.request.resume_request import CHANGES, ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import FineTuningConfig
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.resume.reconcile import reconcile_settings

AGAIN = ResumeRequest(wanted=True)
NAMED = ResumeRequest(wanted=True, run="wf-1")
MOVED = ResumeRequest(wanted=True, accepted=("data-path",))


@pytest.fixture
def recorded(tmp_path, resolved):
    run = RunDirectory.create(tmp_path, resolved.config.family, run_id="wf-1")
    return RecordedConfig.record(run, resolved)


def moved(resolved):
    data = resolved.config.data.model_copy(update={"source": "/elsewhere/crystals.json"})
    return replace(resolved, config=resolved.config.model_copy(update={"data": data}))


def test_a_new_run_is_trained_as_requested(resolved):
    assert reconcile_settings(resolved, None, AGAIN) == (resolved, "")


def test_equal_settings_are_no_change(resolved, recorded):
    assert reconcile_settings(resolved, recorded, AGAIN) == (resolved, "")


def test_attempts_with_other_settings_do_not_share_a_run(recorded):
    other = resolve(RunRequest(algorithm="cgcnn", level="smoke", epochs=9))
    with pytest.raises(RequestError, match=r"'wf-1' exists with other settings.*training\.epochs: 3 -> 9"):
        reconcile_settings(other, recorded, ResumeRequest(accepted=CHANGES))


def test_a_run_resumed_by_name_alone_keeps_its_settings(resolved, recorded, tmp_path):
    for request in (RunRequest(output=tmp_path), RunRequest(algorithm="cgcnn", output=tmp_path)):
        settings, changed = reconcile_settings(resolve(request), recorded, NAMED)
        assert (settings.config, settings.request, changed) == (resolved.config, request, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"level": "max"}, "mode: smoke -> max"),
        ({"algorithm": "cgcnn", "epochs": 5}, "training.epochs: 3 -> 5"),
        ({"epochs": 5, "seed": 42, "level": "smoke"}, "training.epochs: 3 -> 5"),
        ({"settings": (Setting("training.weight_decay", 0.1, "--set"),)}, "training.weight_decay: [0-9.]+ -> 0.1"),
        ({"properties": ("band_gap",)}, "properties: .* -> band_gap"),
    ],
)
def test_a_run_resumed_by_name_refuses_other_settings(recorded, words, says):
    with pytest.raises(RequestError, match=rf"exists with other settings\. {says}\. Leave them out"):
        reconcile_settings(resolve(RunRequest(**words)), recorded, NAMED)


def test_a_run_of_another_algorithm_is_refused(resolved, tmp_path):
    of_e3nn = resolve(RunRequest(algorithm="e3nn", level="smoke"))
    run = RunDirectory.create(tmp_path, of_e3nn.config.family, run_id="wf-2")
    with pytest.raises(RequestError, match="algorithm: e3nn -> cgcnn"):
        reconcile_settings(resolved, RecordedConfig.record(run, of_e3nn), NAMED)


def test_a_run_resumed_by_name_reads_moved_data_with_its_own_settings(resolved, recorded):
    elsewhere = resolve(RunRequest(data="/elsewhere/crystals.json"))
    with pytest.raises(RequestError, match=r"data.source: sample -> /elsewhere/crystals.json\. .*data-path"):
        reconcile_settings(elsewhere, recorded, NAMED)
    settings, changed = reconcile_settings(elsewhere, recorded, replace(NAMED, accepted=("data-path",)))
    assert settings.config == moved(resolved).config
    assert changed == "data.source: sample -> /elsewhere/crystals.json"
    assert settings.origins == {**recorded.origins, "data.source": "--data"}
    assert list(settings.rows())


def test_without_a_name_the_settings_of_the_run_are_not_adopted(recorded):
    with pytest.raises(RequestError, match="exists with other settings"):
        reconcile_settings(resolve(RunRequest()), recorded, AGAIN)


def test_moved_data_are_accepted_on_request(resolved, recorded):
    with pytest.raises(RequestError, match="--accept-change data-path"):
        reconcile_settings(moved(resolved), recorded, AGAIN)
    settings, changed = reconcile_settings(moved(resolved), recorded, MOVED)
    assert settings == moved(resolved)
    assert changed.startswith("data.source: sample -> /else")


def test_moved_data_excuse_no_other_change(resolved, recorded):
    further = replace(resolved, config=moved(resolved).config.model_copy(update={"seed": 7}))
    with pytest.raises(RequestError, match="seed: 42 -> 7"):
        reconcile_settings(further, recorded, MOVED)


def test_a_model_that_is_the_same_at_another_address_is_no_other_start(resolved, tmp_path):
    def started_from(source, digest):
        tuning = FineTuningConfig(source=source, sha256=digest * 64)
        return replace(resolved, config=resolved.config.model_copy(update={"fine_tuning": tuning}))

    run = RunDirectory.create(tmp_path, resolved.config.family, run_id="wf-3")
    recorded = RecordedConfig.record(run, started_from("/here/best.pt", "a"))
    elsewhere = started_from("s3://bucket/best.pt", "a")
    settings, changed = reconcile_settings(elsewhere, recorded, AGAIN)
    assert settings.config == elsewhere.config
    assert changed == "fine_tuning.source: /here/best.pt -> s3://bucket/best.pt"
    with pytest.raises(RequestError, match=r"fine_tuning\.sha256"):
        reconcile_settings(started_from("/here/best.pt", "b"), recorded, AGAIN)
