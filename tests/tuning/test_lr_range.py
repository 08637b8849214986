"""The learning-rate range test: how the rate rises, what it suggests, and what it leaves."""

import csv
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from phase2.cli import main
from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.targets import TargetScaler
from phase2.errors import RequestError
from phase2.testing.tiny_training import TinyData, tiny_config, tiny_data
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


def points_of(rates, loss, noise=0.0, seed=0):
    drawn = np.random.default_rng(seed).normal(0, noise, len(rates))
    return [
        RangePoint(step, rate, loss(rate) + error)
        for step, (rate, error) in enumerate(zip(rates, drawn, strict=True), 1)
    ]


def valley(rate):
    """A loss that falls to its lowest at a rate of 1e-2 and rises from there."""
    return 0.8 - 0.4 * math.exp(-0.5 * math.log10(rate / 1e-2) ** 2)


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


def test_a_third_of_the_rate_of_the_lowest_loss_is_suggested():
    rates = exponential_rates(1e-6, 1, 200)
    found = suggest_rate(points_of(rates, valley), rates)
    assert found.limit is None
    assert found.lowest == pytest.approx(1e-2, rel=0.1)
    assert found.lr == found.lowest / 3


@pytest.mark.parametrize("seed", range(20))
def test_noise_of_batches_moves_it_little(seed):
    rates = exponential_rates(1e-6, 1, 200)
    found = suggest_rate(points_of(rates, valley, noise=0.1, seed=seed), rates)
    assert 1e-2 / 4 < found.lowest < 4 * 1e-2


def test_no_more_than_a_tenth_of_the_rate_that_diverges_is_suggested():
    rates = exponential_rates(1e-6, 1, 200)
    ended = [rate for rate in rates if rate < 2e-2]
    found = suggest_rate(points_of(ended, valley), rates)
    assert found.lr == found.limit == pytest.approx(ended[-1] / 10)
    assert found.lowest > found.lr


def test_a_loss_that_does_not_fall_suggests_nothing():
    rates = exponential_rates(1e-6, 1, 50)
    for loss in (lambda rate: 1 + rate, lambda _: 1.0):
        with pytest.raises(RequestError, match="did not fall"):
            suggest_rate(points_of(rates, loss), rates)
    with pytest.raises(RequestError, match="did not fall"):
        suggest_rate([], rates)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["cgcnn", "e3nn"])
def test_suggestions_of_other_seeds_are_alike_and_near_rates_that_train(cache, algorithm):
    """The levels train at 2e-3 and 5e-3; a suggestion a thousand times smaller or larger ruins a run."""
    rates = exponential_rates(1e-6, 1, 200)
    found = []
    for seed in (1, 2, 3):
        request = RunRequest(algorithm=algorithm, level="smoke", max_samples=600, batch_size=16, seed=seed)
        config = resolve(request).config
        data = CrystalPropertyDataset.load(config.data, config.properties)
        found.append(suggest_rate(range_test(config, data, rates, device=torch.device("cpu")), rates).lr)
    assert max(found) < 4 * min(found)
    assert all(5e-4 < rate < 5e-2 for rate in found)


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


def test_the_loss_of_a_binary_property_is_its_cross_entropy():
    metal = PropertyDefinition(key="metal", task="binary").as_property()
    tiny = tiny_data()
    labels = (tiny.targets[:, :1] > np.nanmedian(tiny.targets[:, 0])).astype(float)
    data = TinyData(tiny.graphs, labels, tiny.split, TargetScaler.fit(labels[tiny.split.train], [metal]))
    (point, *_) = range_test(tiny_config(), data, exponential_rates(1e-6, 1e-5, 10), device=torch.device("cpu"))
    assert point.loss == pytest.approx(math.log(2))  # an untrained network predicts 0: true or false alike
