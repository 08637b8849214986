"""Requests become complete configurations that know where each value comes from."""

import pytest

from phase2.config.assignments import Setting
from phase2.config.levels import ALGORITHMS, MODES, profile
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import flatten, resolve
from phase2.config.schema import RunConfig
from phase2.properties import CORE, KEYS


def _request(algorithm: str, mode: str) -> RunRequest:
    if mode == "competition":
        return RunRequest(algorithm=algorithm, competition=True)
    return RunRequest(algorithm=algorithm, level=mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_table_decides_what_the_user_leaves_open(algorithm, mode):
    row, run = profile(algorithm, mode), resolve(_request(algorithm, mode))
    training = run.config.training
    assert (training.epochs, training.batch_size, training.lr) == (row.epochs, row.batch_size, row.lr)
    assert run.config.data.max_samples == row.max_samples
    assert run.config.family == row.family


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_value_has_an_origin_and_nothing_else_has(algorithm, mode):
    run = resolve(_request(algorithm, mode))
    assert set(run.origins) == {path for path, _ in flatten(run.config.model_dump(mode="json"))}
    assert len(list(run.rows())) == len(run.origins)


def test_flags_win_and_say_so():
    run = resolve(
        RunRequest(
            algorithm="cgcnn", level="max", epochs=7, lr=0.5, batch_size=3, preset="small", max_samples=40, seed=9
        )
    )
    values = {path: (value, origin) for path, value, origin in run.rows()}
    assert values["training.epochs"] == ("7", "--epochs")
    assert values["training.lr"] == ("0.5", "--lr")
    assert values["training.batch_size"] == ("3", "--batch-size")
    assert values["data.max_samples"] == ("40", "--max-samples")
    assert values["model.width"] == ("64", "--preset")
    assert values["seed"] == ("9", "--seed")
    assert values["training.weight_decay"][1] == "default"


def test_what_the_manual_leaves_open_is_a_project_default():
    run = resolve(RunRequest(algorithm="cgcnn", level="std"))
    assert run.origins["training.lr"] == "project default for level cgcnn std"
    assert resolve(RunRequest(algorithm="cgcnn", level="max")).origins["training.lr"] == "level cgcnn max"


def test_properties_default_to_the_core_four_and_all_means_nine():
    assert resolve(RunRequest()).config.properties == CORE
    assert resolve(RunRequest(all_properties=True)).config.properties == KEYS
    assert resolve(RunRequest(properties=("ehull", "band_gap"))).config.properties == ("band_gap", "ehull")


def test_equal_requests_have_equal_digests_and_different_ones_do_not():
    one, two = RunRequest(algorithm="cgcnn"), RunRequest(algorithm="cgcnn", level="std")
    assert resolve(one).config.digest == resolve(two).config.digest
    assert resolve(one).config.digest != resolve(RunRequest(algorithm="cgcnn", seed=1)).config.digest


def test_a_config_survives_json():
    config = resolve(RunRequest(algorithm="e3nn", level="pro", all_properties=True)).config
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_a_seed_of_0_is_given():
    run = resolve(RunRequest(seed=0))
    assert (run.config.seed, run.origins["seed"]) == (0, "--seed")


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("e3nn", "fa635c67d8bfaa8080ca70559cef4b472623320e9612db02e579d9d4df678fe7"),
        ("cgcnn", "cda5d7e140d270e61257ec23bcbeb25561ad638e84c2f172bf54a53d2f1d1d64"),
    ],
)
def test_runs_of_version_0_1_0_keep_their_digests(algorithm, digest):
    earlier = [Setting("training.label_exponent", None), Setting("training.optimizer", "adamw")]
    if algorithm == "e3nn":
        earlier += [Setting("model.second_order", 0), Setting("model.readout_layers", "last")]
        earlier += [Setting("model.atom_hidden", 0)]
        earlier += [Setting("model.element_pairs", False), Setting("model.feed_forward", False)]
        earlier += [Setting("data.per_volume", ())]
    assert resolve(RunRequest(algorithm=algorithm, level="pro", settings=tuple(earlier))).config.digest == digest
