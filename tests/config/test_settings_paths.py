"""Settings by their paths: which there are, what each takes, and what is refused with the nearest name."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.config.assignments import LIMITS, Setting, format_value, parse_setting, parse_values, settings_of
from phase2.config.combine import combine
from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.levels import ALGORITHMS
from phase2.config.paths import DERIVED, settings_of_algorithm
from phase2.config.request.options import BALANCES, FREEZES, PRECISIONS
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import SOURCE_DIGEST, flatten, resolve
from phase2.config.schema import FineTuningConfig, FoundationConfig, TrainingConfig
from phase2.errors import RequestError, UnknownNameError

from .strategies import FINE_TUNING, FOUNDATION, MODELS, SETTINGS, SOURCE

DIGEST = Setting(SOURCE_DIGEST, "0" * 64)


def _set(*texts, **words):
    return combine({"algorithm": "cgcnn", "level": "std"} | words, settings=map(parse_setting, texts))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_value_of_a_configuration_can_be_set_or_says_why_not(algorithm):
    request = RunRequest(algorithm=algorithm, backbone="sevennet-0", from_="run", settings=(DIGEST,))
    paths = [path for path, _ in flatten(resolve(request).config.model_dump(mode="json"))]
    settable = list(settings_of_algorithm(algorithm))
    limits = {path for path in settable if path.startswith(LIMITS)}
    left_out = limits | {"data.split", "data.drop_twins", "training.padding_buckets"}  # where they have their defaults
    assert set(paths) == (set(settable) - left_out) | (set(DERIVED) & set(paths))
    assert sorted(settable) == sorted(SETTINGS | SOURCE | FINE_TUNING | FOUNDATION | MODELS[algorithm]), (
        "a setting that the property tests do not draw"
    )
    for path in set(DERIVED) & set(paths):
        with pytest.raises(RequestError, match="cannot be set") as refused:
            _set(f"{path}=1")
        assert refused.value.why


def test_the_closed_lists_of_options_are_those_of_the_configuration():
    fields = TrainingConfig.model_fields
    assert get_args(fields["balance"].annotation) == BALANCES
    assert get_args(fields["precision"].annotation) == PRECISIONS
    assert get_args(FoundationConfig.model_fields["name"].annotation) == tuple(FOUNDATION_MODELS)
    assert get_args(FineTuningConfig.model_fields["freeze"].annotation) == FREEZES


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training.patiance=20", "Did you mean 'training.patience'"),
        ("patience=20", "Did you mean 'training.patience'"),
        ("model.patience=20", "Did you mean 'training.patience'"),
        ("data.neighbours=20", "Did you mean 'data.graph.neighbors'"),
        ("foo=1", "'phase2 explain' lists"),
        ("model.channels=[8]", "belongs to the network of e3nn. .*model.width"),
        ("training=1", "a group of settings"),
        ("mode=max", "--level or --competition"),
        ("algorithm=e3nn", "--algorithm"),
        ("model.kind=e3nn", "follows from the algorithm"),
        ("training.patience=0", "Expected an integer of at least 1 and of at most 1000000000, or null"),
        ("training.patience=1.5", "Expected an integer of at least 1 and of at most 1000000000, or null"),
        ("training.patience=true", "Expected an integer"),
        ("training.patience='3'", "Expected an integer"),
        ("training.lr=fast", "Expected a number above 0"),
        ("training.lr=.inf", "finite"),
        ("training.lr=.nan", "cannot be used"),
        ("training.warmup=1", "of at least 0 and below 1"),
        ("data.graph.cutoff=21", "above 0 and of at most 20"),
        ("data.fractions=[0.8,0.2]", "a list in brackets of 3 values, each a number above 0"),
        ("data.fractions=[1,0,0]", "each a number above 0"),
        ("data.fractions=0.8,0.1,0.1", "a list in brackets"),
        ("data.group_by=null", "one of none, composition"),
        ("training.balance=famos", "Did you mean 'famo'"),
        ("model.preset=huge", "small, medium, large"),
        ("seed=-1", "of at least 0"),
        ("properties=[bandgap]", "Did you mean 'band_gap'"),
        ("properties=band_gap", "a list in brackets"),
        ("data.source=", "no value behind"),
        ("training.lr", "It has no '='"),
        ("=3", "no path of a setting"),
        ("training.lr={a: 1}", "nothing that a setting can be"),
        ("training.lr=[", "is not understood"),
    ],
)
def test_refusals_say_what_is_expected_and_what_is_nearest(text, says):
    with pytest.raises(RequestError, match=says) as refused:
        _set(text)
    assert refused.value.exit_code == 2


def test_closed_lists_of_options_offer_the_nearest_name():
    misspelt: list[tuple[dict[str, Any], str]] = [
        ({"split": "compositon"}, "composition"),
        ({"balance": "equl"}, "equal"),
        ({"precision": "bf61"}, "bf16"),
    ]
    for words, nearest in misspelt:
        with pytest.raises(UnknownNameError, match=f"Did you mean '{nearest}'"):
            RunRequest(**words)


@pytest.mark.parametrize("words", [{"patience": 0}, {"cutoff": 0.0}, {"cutoff": 20.5}, {"cutoff": float("nan")}])
def test_options_out_of_range_are_refused(words):
    with pytest.raises(RequestError, match=next(iter(words))):
        RunRequest(**words)


def test_a_value_from_python_that_no_setting_holds_is_refused():
    with pytest.raises(RequestError, match="nothing that a setting can be"):
        settings_of({"training.lr": object()}.items())


def test_the_last_of_two_settings_counts_and_an_option_overrides_both():
    assert resolve(_set("training.epochs=3", "training.epochs=4")).config.training.epochs == 4
    run = resolve(_set("training.epochs=3", epochs=7))
    assert (run.config.training.epochs, run.origins["training.epochs"]) == (7, "--epochs")


def test_a_named_size_stands_for_several_settings_and_each_can_be_set_besides():
    run = resolve(_set("model.width=96", preset="small"))
    assert (run.config.model.width, run.config.model.convolutions) == (96, 2)
    origins = [run.origins[f"model.{name}"] for name in ("preset", "width", "convolutions")]
    assert origins == ["--preset", "--set", "--preset"]
    assert resolve(_set("model.preset=large")).config.model.width == 256
    level = resolve(_set("model.width=96"))
    assert (level.config.model.preset, level.config.model.width) == ("medium", 96)
    assert (level.origins["model.preset"], level.origins["model.width"]) == ("level cgcnn std", "--set")


def test_null_overrides_what_a_level_limits():
    assert resolve(RunRequest(algorithm="cgcnn", level="smoke")).config.data.max_samples == 800
    assert resolve(_set("data.max_samples=null", level="smoke")).config.data.max_samples is None
    assert resolve(_set("training.patience=none")).config.training.patience is None


def test_options_reach_their_settings():
    run = resolve(
        RunRequest(algorithm="cgcnn", split="composition", cutoff=6, patience=9, balance="famo", precision="bf16")
    )
    config = run.config
    assert (config.data.group_by, config.data.graph.cutoff) == ("composition", 6.0)
    assert (config.training.patience, config.training.balance, config.training.precision) == (9, "famo", "bf16")
    assert run.origins["data.group_by"] == "--split"
    assert run.origins["data.graph.cutoff"] == "--cutoff"


@pytest.mark.parametrize(
    "words", [{"patience": 3}, {"split": "composition"}, {"balance": "equal"}, {"precision": "bf16"}, {"cutoff": 4.0}]
)
def test_e3nn_lite_refuses_these_options_too(words):
    with pytest.raises(RequestError, match="fixed at 2 epochs"):
        RunRequest(level="lite", **words)


@pytest.mark.parametrize("text", ["training.patience=3", "data.split_seed=1", "model.trunk=128", "training.epochs=2"])
def test_e3nn_lite_refuses_every_setting_but_what_it_leaves_open(text):
    with pytest.raises(RequestError, match="fixed at 2 epochs"):
        combine({"level": "lite"}, settings=[parse_setting(text)])
    opened = [parse_setting(text) for text in ("seed=1", "properties=[ehull]", "data.source=jarvis-dft3d")]
    assert combine({"level": "lite"}, settings=opened).seed == 1


def test_several_values_of_a_setting_are_split_at_the_commas_outside_of_brackets():
    assert parse_values("training.lr=1e-3,5e-4") == ("training.lr", (1e-3, 5e-4))
    assert parse_values("data.fractions=[0.8,0.1,0.1]") == ("data.fractions", ((0.8, 0.1, 0.1),))
    assert parse_values("training.patience=null, 3,3") == ("training.patience", (None, 3))
    for text in ("training.lr=", "training.lr=,", "training.lr=1,]"):
        with pytest.raises(RequestError):
            parse_values(text)


@given(st.sampled_from(sorted(SETTINGS)), st.data())
def test_listed_values_are_read_back(path, data):
    values = settings_of([(path, value) for value in data.draw(st.lists(SETTINGS[path], min_size=1, max_size=4))])
    listed = tuple(dict.fromkeys(setting.value for setting in values))
    assert parse_values(f"{path}={','.join(map(format_value, listed))}") == (path, listed)
