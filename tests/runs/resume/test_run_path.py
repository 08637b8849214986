"""A run that is continued by the path of its folder, in the output folder that it is in."""

from dataclasses import replace
from pathlib import Path

import pytest

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.resume.find import find_run_to_resume
from phase2.runs.resume.run_path import in_output_of_run


def resuming(name):
    return ResumeRequest(wanted=True, run=str(name))


@pytest.fixture
def run(tmp_path, resolved):
    directory = RunDirectory.create(tmp_path / "there" / "models", resolved.config.family, run_id="wf-1")
    RecordedConfig.record(directory, resolved)
    return directory


def test_a_path_brings_its_output_folder(run, resolved, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    relative = Path("..", run.path.relative_to(tmp_path))
    for name in (run.path, f"{run.path}/", relative):
        request = in_output_of_run(RunRequest(), resuming(name))
        assert request.output == tmp_path / "there" / "models"
        found = find_run_to_resume(replace(resolved, request=request), resuming(name), None)
        assert (found.run_id, found.recorded.config) == ("wf-1", resolved.config)
    monkeypatch.chdir(run.path)
    assert in_output_of_run(RunRequest(), resuming(".")).output == tmp_path / "there" / "models"


def test_its_own_output_folder_is_kept_as_it_is_written_and_another_refused(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "there")
    for output in ("models", "../there/models"):
        request = RunRequest(output=Path(output))
        assert in_output_of_run(request, resuming(run.path)) == request
    with pytest.raises(RequestError, match=rf"not in elsewhere.*--output {tmp_path / 'there' / 'models'}"):
        in_output_of_run(RunRequest(output=Path("elsewhere")), resuming(run.path))


def test_names_and_what_is_no_run_bring_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "there" / "models")
    for name in ("wf-1", run.name, f"{run.family}/{run.name}", "s3://bucket/a/b", tmp_path, "x/" * 3000, "latest"):
        assert in_output_of_run(RunRequest(), resuming(name)) == RunRequest()
    assert in_output_of_run(RunRequest(), ResumeRequest(wanted=True)) == RunRequest()
