"""The learning-rate range test: how the rate rises, what it suggests, and what it leaves."""

import csv
import math
from itertools import pairwise

import pytest
import torch

from phase2.cli import main
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.dataset import CrystalPropertyDataset
from phase2.errors import RequestError
from phase2.training.loader import TrainingLoader
from phase2.training.objective import property_losses
from phase2.tuning.learning_rate.range_test import RangePoint, exponential_rates, range_test, suggest_rate

WORDS = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--batch-size", "8")


@pytest.fixture(scope="module")
def config():
    return resolve(RunRequest(algorithm="cgcnn", level="smoke", max_samples=60, batch_size=8)).config


@pytest.fixture(scope="module")
def data(cache, config):
    return CrystalPropertyDataset.load(config.data, config.properties)


def points_of(rates, loss):
    return [RangePoint(step, rate, loss(rate), loss(rate)) for step, rate in enumerate(rates, 1)]


def test_the_rates_rise_by_equal_factors():
    rates = exponential_rates(1e-6, 1, 13)
    assert rates[0] == 1e-6
    assert rates[-1] == pytest.approx(1)
    factors = [after / before for before, after in pairwise(rates)]
    assert factors == pytest.approx([10**0.5] * 12)


@pytest.mark.parametrize(
    ("lowest", "highest", "steps"), [(1, 1e-6, 100), (0, 1, 100), (1e-6, math.inf, 100), (1e-6, 1, 3)]
)
def test_rates_that_do_not_rise_are_refused(lowest, highest, steps):
    with pytest.raises(RequestError):
        exponential_rates(lowest, highest, steps)


def test_the_steepest_descent_is_suggested():
    rates = exponential_rates(1e-6, 1, 121)
    found = suggest_rate(points_of(rates, lambda rate: 1 - 0.5 * math.tanh(2 * math.log10(rate / 1e-3))), rates)
    assert found.limit is None
    assert found.lr == found.steepest == pytest.approx(1e-3, rel=0.1)


def test_no_more_than_a_tenth_of_the_rate_that_diverges_is_suggested():
    rates = exponential_rates(1e-6, 1, 121)
    ended = [rate for rate in rates if rate < 2e-3]
    found = suggest_rate(points_of(ended, lambda rate: 1 - 0.5 * math.tanh(2 * math.log10(rate / 1e-3))), rates)
    assert found.lr == found.limit == pytest.approx(ended[-1] / 10)
    assert found.steepest > found.lr


def test_a_loss_that_does_not_fall_suggests_nothing():
    rates = exponential_rates(1e-6, 1, 50)
    with pytest.raises(RequestError, match="did not fall"):
        suggest_rate(points_of(rates, lambda rate: 1 + rate), rates)
    with pytest.raises(RequestError, match="did not fall"):
        suggest_rate([], rates)


@pytest.mark.slow
def test_the_test_begins_at_the_runs_weights_and_ends_where_the_loss_diverges(config, data):
    rates = exponential_rates(1e-6, 1e4, 60)
    cpu = torch.device("cpu")
    points = range_test(config, data, rates, device=cpu)
    assert [point.lr for point in points] == rates[: len(points)]
    assert len(points) < len(rates)  # more than six epochs, had it not diverged
    assert all(math.isfinite(point.loss) for point in points)
    assert points == range_test(config, data, rates, device=cpu)
    other = range_test(config.model_copy(update={"seed": 1}), data, rates, device=cpu)
    assert other[0].loss != points[0].loss


@pytest.mark.slow
def test_the_command_writes_its_files_and_no_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = main(["lr-find", *WORDS, "--steps", "40", "--to", "found"])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    assert printed.out.startswith("training: {lr: ")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "found",
        "found/lr_range.csv",
        "found/lr_range.png",
    ]
    with (tmp_path / "found" / "lr_range.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, len(rows) + 1))
    (tmp_path / "run.yaml").write_text(printed.out)
    assert main(["explain", "--config", str(tmp_path / "run.yaml")]) == 0


def first_loss(folder):
    with (folder / "lr_range.csv").open() as file:
        return float(next(csv.DictReader(file))["loss"])


@pytest.mark.slow
def test_a_run_that_starts_from_a_model_is_tested_from_its_weights(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "--lr", "5e-3", "--set", "training.ema_decay=0.5"]
    assert main(["train", *words, "--epochs", "20", "--no-baselines"]) == 0
    for to, more in {
        "drawn": (),
        "trained": ("--from", "latest"),
        "later": ("--from", "latest", "--set", "fine_tuning.unfreeze_epoch=3"),
        "heads": ("--from", "latest", "--freeze", "backbone"),
        "new": ("--from", "latest", "--new-heads"),
    }.items():
        code = main(["lr-find", *WORDS, "--steps", "40", "--to", to, *more])
        assert code == 0, capsys.readouterr().err
    drawn, *trained = (first_loss(tmp_path / to) for to in ("drawn", "trained", "heads"))
    assert max(trained) < 0.7 * drawn
    assert first_loss(tmp_path / "new") > max(trained)
    tested = {to: (tmp_path / to / "lr_range.csv").read_text() for to in ("trained", "later", "heads")}
    assert tested["later"] == tested["trained"] != tested["heads"]


@pytest.mark.slow
def test_a_run_that_reads_a_pretrained_potential_is_tested_with_its_features(tmp_path, capsys, monkeypatch):
    pytest.importorskip("sevenn")
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "--backbone", "sevennet-0", "--set", "foundation.use=alone", "--steps", "40"]
    assert main(["lr-find", *words]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("training: {lr: ")


def test_the_losses_are_those_of_the_runs_label_weights(config, data):
    exponent = 1.0
    settings = config.training.model_copy(update={"label_exponent": exponent})
    weighted = config.model_copy(update={"training": settings})
    cpu = torch.device("cpu")
    (point, *_) = range_test(weighted, data, exponential_rates(1e-6, 1e-5, 10), device=cpu)
    loader = TrainingLoader(data, view="quotient", batch_size=8, seed=config.seed, device=cpu)
    targets = next(loader.epoch(0)).targets  # an untrained network predicts 0, the mean
    expected = property_losses(torch.zeros_like(targets), targets, settings.loss, loader.label_weights(exponent)).mean()
    assert point.loss == pytest.approx(expected.item())
