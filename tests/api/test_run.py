"""A finished run as Python sees it."""

import numpy as np
import pytest

import phase2
from phase2.errors import ModelFileError


def test_a_run_has_its_numbers_as_tables(run):
    metrics = run.metrics.to_pandas()
    assert sorted(set(metrics["part"])) == ["test", "val"]
    assert len(metrics) == 2 * len(run.manifest.properties)
    history = run.history.to_pandas()
    assert history["epoch"].tolist() == [1, 2]
    assert "val MAE of band_gap [eV]" in history.columns


def test_test_predictions_agree_with_the_metrics(run):
    frame = run.test_predictions.to_pandas()
    assert "band_gap_reference [eV]" in frame.columns
    for metric in run.metrics:
        if metric.part == "test" and metric.labels:
            unit = f" [{metric.unit}]" if metric.unit else ""
            error = frame[f"{metric.property}_predicted{unit}"] - frame[f"{metric.property}_reference{unit}"]
            assert np.abs(error).mean() == pytest.approx(metric.mae)
    first = run.val_predictions[0]
    assert set(first.predicted) == set(run.manifest.properties)


def test_a_run_shows_itself(run):
    assert run.id in repr(run)
    assert "cgcnn smoke, finished" in repr(run)
    assert "median baseline MAE" in run._repr_html_()
    assert "formation_energy" in repr(run.metrics)


def test_a_damaged_table_is_a_model_file_error(run, tmp_path):
    from phase2.api.results.run_tables import History, PartTable

    (tmp_path / "history.json").write_text("[1]")
    with pytest.raises(ModelFileError, match=r"history\.json"):
        History.read(tmp_path / "history.json")
    for text in ("", "id,formula\na,b\n", "id,formula,x,y\na,b,one,2\n"):
        (tmp_path / "p.csv").write_text(text)
        with pytest.raises(ModelFileError, match=r"p\.csv"):
            PartTable(tmp_path / "p.csv", ["band_gap"])


def test_a_folder_without_a_manifest_is_no_finished_run(tmp_path):
    with pytest.raises(phase2.Phase2Error, match="run_manifest"):
        phase2.load_run(tmp_path)
