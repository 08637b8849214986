"""``combine="best"``: each property by the model with the smallest validation error."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import phase2
from phase2.cli import main
from phase2.errors import ModelFileError, RequestError, UnknownNameError
from phase2.prediction.choice import choose_models
from phase2.prediction.ensemble import predict_with
from phase2.prediction.intervals import joint_calibration, uncertainty_of
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.testing.tensor_files import save_signed

KEYS = ["formation_energy", "band_gap", "bulk_modulus", "shear_modulus", "dielectric"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Runs of one split: one of four properties, and one of two of which it shares one."""
    folder = tmp_path_factory.mktemp("runs")
    words = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "100000", "--no-baselines"]
    two = ["--properties", "dielectric,bulk_modulus"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        for name, more in (
            ("four", ["--epochs", "1"]),
            ("two", [*two, "--epochs", "3"]),
            ("product", [*two, "--epochs", "2", "--set", "data.per_volume=[bulk_modulus]"]),
        ):
            assert main([*words, *more, "--output", str(folder / name)]) == 0
    return [next(folder.glob(f"{name}/*/run_*")) for name in ("four", "two", "product")]


@pytest.fixture(scope="module")
def runs(folders):
    return [Predictor.load(folder / "best.pt") for folder in folders[:2]]


@pytest.fixture(scope="module")
def product(folders):
    """Model that learns the bulk modulus times the volume per atom."""
    return Predictor.load(folders[2] / "best.pt")


def without_factors(predictor: Predictor) -> Predictor:
    """Return a model as its file was written before factors were recorded."""
    known = uncertainty_of(predictor)
    earlier = replace(known, calibration=replace(known.calibration, factors=None))
    return Predictor(replace(predictor.model, uncertainty=earlier), predictor.path)


def recorded(folder: Path) -> dict[str, float]:
    return {row["key"]: row["mae"] for row in json.loads((folder / "results.json").read_text())["val"]}


def test_the_errors_are_those_that_the_runs_recorded_and_the_smallest_wins(folders, runs):
    of_runs = [recorded(folder) for folder in folders[:2]]
    choices = {choice.property.key: choice for choice in choose_models(runs)}
    assert list(choices) == KEYS
    chosen = choices["bulk_modulus"]
    assert list(chosen.errors.values()) == pytest.approx([one["bulk_modulus"] for one in of_runs], rel=1e-4)
    assert chosen.errors[chosen.predictor.model.run_id] == min(chosen.errors.values())
    assert all(run in chosen.sentence() for run in chosen.errors)
    assert " GPa" in chosen.sentence()
    for key, choice in choices.items():
        if key != "bulk_modulus":
            assert not choice.errors
            assert choice.predictor is runs[key == "dielectric"]
            assert "the only one" in choice.sentence()


def test_models_that_learn_a_property_in_other_forms_are_compared_in_its_unit(folders, runs, product):
    (choice,) = choose_models([*runs, product], ["bulk_modulus"])
    expected = [recorded(folder)["bulk_modulus"] for folder in folders]
    assert list(choice.errors.values()) == pytest.approx(expected, rel=1e-4)
    assert "per atom" not in choice.sentence()


def test_an_ensemble_of_models_that_learn_in_other_forms_is_calibrated_in_physical_units(runs, product):
    keys = ["bulk_modulus"]
    one, other = (joint_calibration(models, keys) for models in ([runs[1], product], [product, runs[1]]))
    present = ~np.isnan(one.labels[:, 0])
    np.testing.assert_allclose(one.decode(one.predicted)[present], other.decode(other.predicted)[present], rtol=1e-4)
    np.testing.assert_allclose(one.decode(one.labels)[present], other.decode(other.labels)[present], rtol=1e-4)


def test_models_of_an_earlier_version_that_learn_in_other_forms_are_refused(runs, product):
    models = [runs[1], without_factors(product)]
    with pytest.raises(RequestError, match="cannot be compared: they learn 'bulk_modulus' differently") as refused:
        choose_models(models, ["bulk_modulus"])
    assert "log1p of the value; " in str(refused.value.why)
    assert "value times the volume per atom" in str(refused.value.why)
    with pytest.raises(RequestError, match="cannot be calibrated together"):
        joint_calibration(models, ["bulk_modulus"])


def test_models_of_an_earlier_version_that_learn_alike_are_compared_per_atom(runs, product):
    one, other = without_factors(product), Predictor(replace(product.model, run_id="other"), product.path)
    (choice,) = choose_models([one, other], ["bulk_modulus"])
    assert "validation MAE per atom" in choice.sentence()
    first, second = choice.errors.values()
    assert first == second


def test_predictions_and_intervals_are_those_of_the_chosen_model(runs, examples):
    table = predict_with(runs, examples, combine="best", levels=[0.5])
    assert [prop.key for prop in table.properties] == KEYS
    assert table.members == 1
    alone = {one.model.run_id: predict_with([one], examples, levels=[0.5]) for one in runs}
    for column, choice in enumerate(choose_models(runs)):
        of_run = alone[choice.predictor.model.run_id]
        place = of_run.properties.index(choice.property)
        rows: Any = zip(table.rows, of_run.rows, strict=True)
        for row, expected in rows:
            assert row.values[column] == expected.values[place]
            np.testing.assert_array_equal(row.intervals[:, column], expected.intervals[:, place])
    novelties: Any = [[row.novelty for row in one.rows] for one in alone.values()]
    assert [row.novelty for row in table.rows] == np.max(novelties, axis=0).tolist()
    assert len(table.notes) == len(KEYS)


def test_properties_are_chosen_and_only_models_of_these_predict(runs, examples, progress):
    table = predict_with(runs, examples, combine="best", properties=["dielectric"], progress=progress)
    expected = predict_structures(runs[1], examples, properties=["dielectric"])
    assert [row.values for row in table.rows] == [row.values for row in expected.rows]
    assert progress.seen[-1] == (len(examples), len(examples))


def test_what_cannot_be_read_has_its_reason_once(runs, examples, tmp_path):
    (tmp_path / "empty.cif").write_text("")
    table = predict_with(runs, [*examples, tmp_path / "empty.cif"], combine="best")
    (failure,) = table.failures
    assert "empty" in failure.file
    assert failure.error


def test_a_property_of_no_model_is_named_with_the_nearest(runs):
    with pytest.raises(UnknownNameError, match="dielectric"):
        choose_models(runs, ["dielectrics"])
    with pytest.raises(RequestError, match="named twice"):
        choose_models(runs, ["dielectric", "dielectric"])
    with pytest.raises(RequestError, match="No property"):
        choose_models(runs, [])


def test_models_that_saw_other_crystals_are_not_compared(runs, predictor):
    with pytest.raises(RequestError, match="cannot be compared for bulk_modulus"):
        choose_models([runs[1], predictor])
    assert choose_models([runs[1], predictor], ["dielectric"])[0].predictor is runs[1]


def test_a_run_named_twice_is_refused(runs):
    with pytest.raises(RequestError, match="named twice"):
        choose_models([runs[0], runs[0]])


def test_a_model_file_without_calibration_is_not_compared(folders, runs, tmp_path, examples):
    content = torch.load(folders[1] / "best.pt", weights_only=True)
    del content["uncertainty"], content["sha256"]
    save_signed(content, tmp_path / "best.pt")
    old = Predictor.load(tmp_path / "best.pt")
    with pytest.raises(ModelFileError, match="has no calibration"):
        choose_models([runs[0], old])
    assert predict_with([runs[0], old], examples, combine="best", properties=["dielectric", "band_gap"]).rows


def test_models_without_a_validation_label_are_not_compared(folders, tmp_path):
    unlabelled = []
    for folder in folders:
        content = torch.load(folder / "best.pt", weights_only=True)
        content["uncertainty"]["labels"].fill_(torch.nan)
        del content["sha256"]
        save_signed(content, tmp_path / f"{folder.name}.pt")
        unlabelled.append(Predictor.load(tmp_path / f"{folder.name}.pt"))
    with pytest.raises(RequestError, match="cannot be compared") as caught:
        choose_models(unlabelled, ["bulk_modulus"])
    assert "No validation crystal" in str(caught.value)


def test_the_command_and_python_say_who_predicts_what(folders, runs, examples, tmp_path, capsys):
    output = tmp_path / "out.json"
    words = ["predict", "--model", str(folders[0]), "--model", str(folders[1]), "--cif", str(examples[0])]
    assert main([*words, "--combine", "best", "--output", str(output)]) == 0
    said = capsys.readouterr().err
    assert all(f"{choice.sentence()}\n" in said for choice in choose_models(runs))
    model = phase2.load_model([str(folder) for folder in folders[:2]], combine="best")
    assert [prop.key for prop in model.properties] == KEYS
    assert "best of 2 models" in repr(model)
    written = [list(row.values()) for row in json.loads(output.read_text())]
    assert model.predict(examples[0]).records() == written
    with pytest.raises(RequestError, match="one by one"):
        model.evaluate()
    assert main([*words, "--combine", "bets"]) == 2
    assert "Did you mean 'best'?" in capsys.readouterr().err


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_mean_of_models_with_different_properties_is_refused_with_what_is_meant(
    order, folders, runs, examples, tmp_path, capsys
):
    named = [word for k in order for word in ("--model", str(folders[k]))]
    for command in (["predict", *named, "--cif", str(examples[0]), "--output", str(tmp_path / "a.csv")],
                    ["evaluate", *named]):  # fmt: skip
        assert main(command) == 2, command
        said = capsys.readouterr().err
        assert "These models predict different properties." in said
        assert all(one.model.run_id in said for one in runs)
        assert {"predict": "--combine best", "evaluate": "one by one"}[command[0]] in said
        assert "--properties bulk_modulus.\n" in said
    model = phase2.load_model([str(folders[k]) for k in order])
    assert [prop.key for prop in model.properties] == ["bulk_modulus"]
    with pytest.raises(RequestError, match="different properties"):
        model.predict(examples[0])
    assert model.predict(examples[0], properties=["bulk_modulus"]).columns()[2].startswith("bulk_modulus")
