"""Runs and models by whatever names them."""

import pickle
import shutil

import pytest

import phase2
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.publish import publish_run


@pytest.fixture
def bucket(minio, new_store, run):
    """A real bucket that the run was published to."""
    store = new_store(minio)
    publish_run(store, RunDirectory(run.directory))
    return store


def test_a_model_is_found_by_every_name(run, models):
    address = f"file://{models}/{run.directory.parent.name}/{run.directory.name}"
    references = [
        run, run.directory, str(run.directory), run.best_model, str(run.best_model), address, f"{address}/best.pt"
    ]  # fmt: skip
    for reference in references:
        assert phase2.load_model(reference).files[0].samefile(run.best_model)
    for name in ("best", "latest", run.id, run.directory.name):
        assert phase2.load_model(name, store=models).files[0].samefile(run.best_model)


def test_the_default_store_is_that_of_the_environment_or_models(run, models, monkeypatch, tmp_path):
    monkeypatch.setenv("PHASE2_STORE", str(models))
    assert phase2.load_run().id == run.id
    monkeypatch.delenv("PHASE2_STORE")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(models, tmp_path / "models")
    assert phase2.load_model().files[0] == tmp_path / "models" / run.directory.relative_to(models) / "best.pt"
    assert len(phase2.list_runs()) == 1


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("nowhere/best.pt", "nowhere/best.pt"),
        ("s3://bucket", "no address of a run"),
        ("file:///nowhere/family/run_1", "no folder /nowhere"),
        ([], "No model"),
    ],
)
def test_what_is_not_there_is_said(reference, says, models):
    with pytest.raises(phase2.Phase2Error, match=says):
        phase2.load_model(reference, store=models)


@pytest.mark.parametrize("call", [phase2.load_run, phase2.load_model, lambda given: phase2.compare(given, given)])
def test_an_object_that_names_no_run_is_refused(call):
    with pytest.raises(RequestError, match="type int names no run"):
        call(5)


@pytest.mark.parametrize("call", [phase2.list_runs, lambda given: phase2.load_run("latest", store=given)])
def test_an_object_that_names_no_store_is_refused(call):
    with pytest.raises(RequestError, match="type int names no store"):
        call(5)


def test_a_misspelt_run_is_answered_with_the_nearest(run, models):
    with pytest.raises(ValueError, match=f"Did you mean '{run.id}'"):
        phase2.load_model(run.id[:-1] + "_", store=models)


def test_runs_are_listed_filtered_and_ranked(run, models):
    runs = phase2.list_runs(models)
    assert [row.run_id for row in runs] == [run.id]
    assert len(phase2.list_runs(models, algorithm="e3nn")) == 0
    assert len(phase2.list_runs(models, level="smoke", status="finished", property="band_gap")) == 1
    frame = runs.best_first().to_pandas()
    assert frame["score"].tolist() == [run.manifest.score]
    assert "val MAE of band_gap [eV]" in frame.columns
    with pytest.raises(ValueError, match="Did you mean 'cgcnn'"):
        phase2.list_runs(models, algorithm="cgnn")


def test_runs_are_compared(run, models):
    table = phase2.compare(run, "latest", run.directory, store=models)
    assert table.runs == (run.id,) * 3
    assert table.same_data
    assert table[0].values == (run.manifest.score,) * 3
    assert list(table.to_pandas().columns)[:4] == ["property", "unit", "part", "measure"]
    with pytest.raises(ValueError, match="Name two"):
        phase2.compare(run)


def test_a_row_of_a_list_names_its_run_by_itself(run, models, monkeypatch, tmp_path):
    monkeypatch.chdir(models.parent)
    listed = phase2.list_runs(models.name)
    monkeypatch.chdir(tmp_path)
    for row in (listed[0], listed.best_first()[0], listed.sorted_by("seed")[0], pickle.loads(pickle.dumps(listed[0]))):
        assert phase2.load_run(row).directory == run.directory
        assert phase2.load_run(row, store=tmp_path).directory == run.directory
        assert phase2.load_model(row).files[0] == run.best_model
        assert phase2.compare(row, row).runs == (run.id,) * 2
    tuned = phase2.train(
        algorithm="cgcnn", level="smoke", epochs=1, max_samples=60, from_=listed[0], output=tmp_path, progress=False,
        baselines=False,
    )  # fmt: skip
    assert tuned.manifest.config.fine_tuning.source == listed[0].address


def test_rows_are_equal_where_they_show_the_same_run_in_the_same_store(models, tmp_path):
    (row,) = phase2.list_runs(models)
    assert row == phase2.list_runs(models)[0]
    assert "file:" not in repr(row)
    shutil.copytree(models, tmp_path / "copied")
    assert row != phase2.list_runs(tmp_path / "copied")[0]
    assert row.address == f"{(models / row.prefix).as_uri()}"


def test_a_run_in_a_bucket_is_brought_into_the_cache(bucket, run, monkeypatch, tmp_path):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path))
    prefix = f"{run.directory.parent.name}/{run.directory.name}"
    for reference, store in ((f"{bucket.url.rstrip('/')}/{prefix}", None), ("latest", bucket.url)):
        (file,) = phase2.load_model(reference, store=store).files
        assert file.is_relative_to(tmp_path)
        assert file.read_bytes() == run.best_model.read_bytes()
    assert phase2.load_model(phase2.list_runs(bucket.url)[0]).files == (file,)
    brought = phase2.load_run(run.id, store=bucket.url)
    assert brought.directory.is_relative_to(tmp_path)
    assert brought.history[0] == run.history[0]
