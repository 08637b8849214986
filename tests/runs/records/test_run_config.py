"""The recorded configuration of a run, and the command that makes it again."""

from dataclasses import replace

import pytest

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.run_config import RecordedConfig


@pytest.fixture
def run(tmp_path):
    return RunDirectory.create(tmp_path, "multitask_cgcnn")


@pytest.fixture
def resolved():
    return resolve(RunRequest(algorithm="cgcnn", level="smoke", epochs=3))


def test_the_command_makes_the_run_again(run, resolved):
    recorded = RecordedConfig.record(run, resolved)
    assert recorded == RecordedConfig.read(run)
    assert recorded.command == tuple(resolved.request.command())
    assert resolve(RunRequest.from_command(recorded.command)).config.digest == recorded.digest


def test_the_command_makes_a_run_again_whose_settings_were_changed_in_python(run, resolved):
    training = resolved.config.training.model_copy(update={"epochs": 7, "ema_decay": 0.5})
    changed = replace(resolved, config=resolved.config.model_copy(update={"training": training}))
    recorded = RecordedConfig.record(run, changed)
    assert recorded.digest == changed.config.digest != resolved.config.digest
    assert resolve(RunRequest.from_command(recorded.command)).config.digest == recorded.digest


def test_a_configuration_that_no_command_makes_is_not_recorded(run, resolved):
    changed = replace(resolved, config=resolved.config.model_copy(update={"family": "mine"}))
    with pytest.raises(RequestError, match="No request makes this configuration: family: mine"):
        RecordedConfig.record(run, changed)
    assert not run.run_config.exists()
