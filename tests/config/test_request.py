"""What a request refuses, and what it says."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.cli.request_options import takes_request
from phase2.config.levels import ALGORITHMS, LEVELS, PRESETS
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError
from phase2.properties import KEYS

REFUSED = [
    ({"algorithm": "e3n"}, "Did you mean 'e3nn'"),
    ({"algorithm": "xgboost"}, "Use one of: e3nn, cgcnn"),
    ({"level": "prod"}, "Did you mean 'pro'"),
    ({"algorithm": "cgcnn", "preset": "mediun"}, "Did you mean 'medium'"),
    ({"properties": ("bandgap",)}, "Did you mean 'band_gap'"),
    ({"properties": ("ehull", "ehull")}, "twice"),
    ({"properties": ()}, "No property"),
    ({"level": "pro", "competition": True}, "exclude each other"),
    ({"properties": ("ehull",), "all_properties": True}, "exclude each other"),
    ({"algorithm": "e3nn", "preset": "small"}, "cgcnn"),
    ({"epochs": 0}, "--epochs 0"),
    ({"batch_size": -4}, "--batch-size -4"),
    ({"max_samples": 0}, "--max-samples 0"),
    ({"lr": 0.0}, "--lr 0.0"),
    ({"lr": float("nan")}, "--lr nan"),
    ({"lr": float("inf")}, "--lr inf"),
    ({"seed": -1}, "--seed -1"),
    ({"seed": 2**32}, "out of range"),
]


@pytest.mark.parametrize(("words", "says"), REFUSED)
def test_refusals_say_what_and_why(words, says):
    with pytest.raises(RequestError, match=says) as refused:
        RunRequest(**words)
    assert refused.value.exit_code == 2
    assert refused.value.fix


@pytest.mark.parametrize(
    "override", [{"epochs": 3}, {"lr": 1e-3}, {"batch_size": 4}, {"max_samples": 50}], ids=lambda o: next(iter(o))
)
def test_e3nn_lite_is_fixed(override):
    with pytest.raises(RequestError, match="fixed at 2 epochs and 96 structures"):
        RunRequest(algorithm="e3nn", level="lite", **override)


def test_e3nn_lite_takes_what_does_not_change_its_length():
    RunRequest(algorithm="e3nn", level="lite", seed=1, all_properties=True, data="jarvis-dft3d")


requests: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    algorithm=st.sampled_from(ALGORITHMS),
    level=st.none() | st.sampled_from([level for level in LEVELS if level != "lite"]),
    properties=st.none() | st.lists(st.sampled_from(KEYS), min_size=1, unique=True).map(tuple),
    epochs=st.none() | st.integers(1, 999),
    lr=st.none() | st.floats(1e-6, 1.0),
    batch_size=st.none() | st.integers(1, 512),
    max_samples=st.none() | st.integers(10, 10**6),
    seed=st.none() | st.integers(0, 2**32 - 1),
    data=st.none() | st.sampled_from(["jarvis-dft3d", "my data/crystals.json"]),
)


@given(words=requests, preset=st.none() | st.sampled_from(PRESETS))
def test_the_command_line_of_a_request_makes_the_same_request(words, preset):
    if words["algorithm"] == "cgcnn":
        words["preset"] = preset
    request = RunRequest(**words)
    assert _parse(shlex.split(shlex.join(request.command()[2:]))) == request
    assert RunRequest.from_command(request.command()) == request


def test_a_recorded_command_says_nothing_of_where_it_is_run():
    request = RunRequest(competition=True, all_properties=True, output=Path("elsewhere"))
    assert RunRequest.from_command(request.command()) == RunRequest(competition=True, all_properties=True)


@pytest.mark.parametrize("words", [["--optimiser", "sgd"], ["--epochs"], ["more"]])
def test_a_command_of_another_version_is_refused(words):
    with pytest.raises(RequestError, match="is not understood"):
        RunRequest.from_command(["phase2", "train", *words])


def _parse(arguments: list[str]) -> RunRequest:
    import typer

    seen: list[RunRequest] = []

    def keep(request: RunRequest) -> None:
        seen.append(request)

    app = typer.Typer()
    app.command()(takes_request(keep))
    app(args=arguments, standalone_mode=False)
    return seen[0]
