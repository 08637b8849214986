"""Runs whose folders were renamed."""

import pytest

from phase2.runs.catalog.index import list_runs
from phase2.runs.layout import RunDirectory
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.renamed import RenamedRun, renamed_runs
from phase2.storage.urls import open_store


@pytest.fixture
def run(resolved, tmp_path):
    run = RunDirectory.create(tmp_path / "models", "multitask_cgcnn")
    RecordedConfig.record(run, resolved)
    return run.path


@pytest.mark.parametrize("name", ["multitask_cgcnn/my-run", "my-run"])
def test_a_renamed_run_is_known_by_its_configuration(run, tmp_path, name):
    store = open_store(str(tmp_path / "models"))
    assert renamed_runs(store) == []
    there = run.rename(tmp_path / "models" / name)
    (found,) = renamed_runs(store)
    assert found.folder == there
    family, _, back = found.prefix.partition("/")
    (tmp_path / "models" / family).mkdir(exist_ok=True)
    there.rename(tmp_path / "models" / found.prefix)
    assert renamed_runs(store) == []
    (listed,) = list_runs(store)
    assert (listed.run_id, listed.name) == (run.name.rpartition("_")[2], back)


def test_other_folders_are_none(run, tmp_path):
    models = tmp_path / "models"
    for name in ("figures", ".trash/old", "multitask_cgcnn/.backup", "multitask_cgcnn/notes"):
        (models / name).mkdir(parents=True)
    (models / "multitask_cgcnn" / ".backup" / "run_config.json").write_text("{}")
    assert renamed_runs(open_store(str(models))) == []
    (models / "figures" / "run_config.json").write_text("{}")
    assert renamed_runs(open_store(str(models))) == [RenamedRun(models / "figures", None)]
