"""What is said where the data of a run that is continued are not at their path."""

import pytest

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import DataError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.resume.moved_data import refuse_missing_data


def recorded(folder, source):
    resolved = resolve(RunRequest(algorithm="cgcnn", level="smoke", data=source))
    return RecordedConfig.record(RunDirectory.create(folder, resolved.config.family), resolved)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "data",
            r"are not at data\. That path begins .*and this one is {here}\. Continue the run from there, or",
        ),
        ("/nowhere/data", r"are not at /nowhere/data\. Nothing is there now\. If they have moved"),
    ],
)
def test_the_way_to_say_where_the_data_are_now_is_named(tmp_path, monkeypatch, source, says):
    monkeypatch.chdir(tmp_path)
    run = recorded(tmp_path, source)
    expected = (
        rf"The data of the run '{run.run_id}' {says.format(here=tmp_path)}.*--data PATH --accept-change data-path"
    )
    with pytest.raises(DataError, match=expected):
        refuse_missing_data(source, run)
    refuse_missing_data("elsewhere", run)
    refuse_missing_data(source, None)


@pytest.mark.parametrize("source", ["sample", "jarvis-dft3d", f"sha256:{'0' * 64}", "s3://bucket/data", "here"])
def test_what_is_there_or_is_no_path_is_left_to_its_reader(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").touch()
    refuse_missing_data(source, recorded(tmp_path, source))
