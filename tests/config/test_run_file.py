"""Configuration files: what they say, what overrides what, and files that make a run again by themselves."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from phase2.config.assignments import parse_setting
from phase2.config.combine import combine
from phase2.config.levels import ALGORITHMS, MODES
from phase2.config.reproduce import reproducing_request, request_of
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import ResolvedRun, resolve
from phase2.config.run_file.reader import RunFile
from phase2.config.run_file.writer import write_run_file
from phase2.config.schema import CgcnnConfig
from phase2.errors import RequestError
from phase2.properties import KEYS

from .strategies import requests

FILE = """\
# my run
algorithm: cgcnn
level: max
properties: [band_gap, ehull]
seed: 7
data:
  source: jarvis-dft3d
  graph: {cutoff: 6}
model: {width: 96}
training:
  patience: 20
  lr: 1e-3
"""


def _read(text, words=None, *settings):
    return combine(words or {}, settings=map(parse_setting, settings), file=RunFile.parse(text, "run.yaml"))


def test_a_file_says_what_options_say_and_more():
    run = resolve(_read(FILE))
    config = run.config
    assert (config.algorithm, config.mode, config.properties, config.seed) == ("cgcnn", "max", ("band_gap", "ehull"), 7)
    assert (config.data.source, config.data.graph.cutoff, config.model.width) == ("jarvis-dft3d", 6.0, 96)
    assert (config.training.patience, config.training.lr) == (20, 1e-3)
    said = ("algorithm", "mode", "properties", "seed", "data.source", "data.graph.cutoff", "model.width", "training.lr")
    assert {run.origins[path] for path in said} == {"file run.yaml"}
    assert run.origins["training.epochs"] == "level cgcnn max"
    assert run.origins["data.graph.neighbors"] == "default"


def test_default_then_level_then_file_then_set_then_option():
    path = "training.lr"
    for text, settings, words, value, origin in (
        ("algorithm: cgcnn\nlevel: max", [], {}, 7e-4, "level cgcnn max"),
        (FILE, [], {}, 1e-3, "file run.yaml"),
        (FILE, ["training.lr=2e-3"], {}, 2e-3, "--set"),
        (FILE, ["training.lr=2e-3"], {"lr": 3e-3}, 3e-3, "--lr"),
    ):
        run = resolve(_read(text, words, *settings))
        assert (run.config.training.lr, run.origins[path]) == (value, origin)
    run = resolve(_read(FILE, {"algorithm": "cgcnn", "level": "pro", "seed": 1}, "data.source=sample"))
    assert (run.config.mode, run.config.seed, run.config.data.source) == ("pro", 1, "sample")
    assert [run.origins[p] for p in ("algorithm", "mode", "seed", "data.source")] == [
        "--algorithm", "--level", "--seed", "--set",
    ]  # fmt: skip


def test_the_choice_of_properties_is_one_choice():
    assert _read(FILE, {"all_properties": True}).properties is None
    every = "algorithm: cgcnn\nall_properties: true"
    assert resolve(_read(every)).config.properties == KEYS
    assert resolve(_read(every, {}, "properties=[ehull]")).config.properties == ("ehull",)
    assert resolve(_read(every, {"properties": ("ehull",)})).origins["properties"] == "--properties"
    with pytest.raises(RequestError, match="exclude each other"):
        _read(FILE, {"all_properties": True, "properties": ("ehull",)})


@pytest.mark.parametrize(
    ("text", "words"),
    [("competition: true\nlevel: max", {}), ("competition: true", {"level": "max"}), (FILE, {"competition": True})],
)
def test_competition_excludes_a_level_whatever_says_so(text, words):
    with pytest.raises(RequestError, match="exclude each other"):
        _read(text, words)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("- a\n- b", "holds no mapping"),
        ("just words", "holds no mapping"),
        ("training: {patiance: 20}", r"'training.patiance' \(file run.yaml\).*Did you mean 'training.patience'"),
        ("trainnig: {patience: 20}", "Did you mean 'training.patience'"),
        ("optimizer: {}", "nothing that a setting can be"),
        ("training.patience: 20", "nested in a file.*training: {patience"),
        ("data: jarvis-dft3d", "data: {source: jarvis-dft3d}"),
        ("data: {graph: 5}", "'data.graph' is a group"),
        ("training: {epochs: many}", r"training.epochs=many \(file run.yaml\)"),
        ("algorithm: cgnn", "Did you mean 'cgcnn'"),
        ("algorithm: 3", "Expected a name"),
        ("competition: maybe", "Expected true or false"),
        ("level: huge", "Unknown level 'huge'"),
        ("output: elsewhere", "--output"),
        ("mode: max", "--level or --competition"),
        ("model: {kind: cgcnn}", "follows from the algorithm"),
        ("model: {width: 3}", "no setting of e3nn"),
        ("level: lite\ntraining: {epochs: 2}", "fixed at 2 epochs"),
        ("seed: x", "Expected an integer"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text, says):
    with pytest.raises(RequestError, match=says) as refused:
        _read(text)
    assert refused.value.exit_code == 2


def test_a_group_whose_lines_are_all_comments_says_nothing():
    assert resolve(_read("level: smoke\ntraining:\n  # epochs: 3\n")).config.training.epochs == 5


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    damaged = tmp_path / "run.yaml"
    damaged.write_bytes(b"level: \xff\xfe")
    for path, says in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "directory"), (damaged, "no UTF-8")):
        with pytest.raises(RequestError, match=says) as refused:
            RunFile.read(path)
        assert str(path) in refused.value.what
    damaged.write_bytes(b"\xef\xbb\xbflevel: smoke")
    assert RunFile.read(damaged).options["level"] == "smoke"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_level_is_reproduced_by_its_file(algorithm, mode):
    words = {"competition": True} if mode == "competition" else {"level": mode}
    run = resolve(RunRequest(algorithm=algorithm, **words))
    _reproduces(run)


@given(requests())
def test_any_run_is_reproduced_by_its_file_and_by_its_command(request):
    run = resolve(request)
    _reproduces(run)
    again = RunRequest.from_command(request.command())
    assert resolve(again).config.digest == run.config.digest
    assert again.command() == request.command()


def _reproduces(run):
    read = _read(write_run_file(run))
    assert resolve(read).config.digest == run.config.digest
    assert resolve(RunRequest.from_command(read.command())).config.digest == run.config.digest


@given(requests())
def test_a_configuration_alone_is_enough_to_ask_for_its_run(request):
    config = resolve(request).config
    assert resolve(request_of(config)).config.digest == config.digest


# Configurations that were changed in Python --------------------------------------------------------------------------


def _changed(**update):
    run = resolve(RunRequest(algorithm="cgcnn", level="smoke", epochs=3, output=Path("out")))
    return ResolvedRun(run.request, run.config.model_copy(update=update), run.origins)


def test_a_request_that_says_all_is_kept_as_it_is():
    run = resolve(RunRequest(algorithm="cgcnn", epochs=3))
    assert reproducing_request(run) is run.request


def test_what_was_changed_after_resolving_is_written_as_settings():
    run = _changed(seed=5)
    training = run.config.training.model_copy(update={"epochs": 9, "patience": 2})
    run = replace(run, config=run.config.model_copy(update={"training": training}))
    request = reproducing_request(run)
    assert resolve(request).config.digest == run.config.digest
    assert request.output == Path("out")
    assert " ".join(request.command()).endswith(
        "--seed 5 --data sample --output out --set training.epochs=9 --set training.patience=2"
    )


def test_a_size_that_keeps_one_number_of_the_level_is_kept():
    run = _changed(model=CgcnnConfig(preset="large", width=64, convolutions=5))
    assert resolve(reproducing_request(run)).config.digest == run.config.digest


@pytest.mark.parametrize(
    "update", [{"family": "mine"}, {"backend": "train_multitask_pro"}, {"all_properties": True}], ids=str
)
def test_what_no_request_makes_is_refused(update):
    with pytest.raises(RequestError, match=f"No request makes this configuration: .*{next(iter(update))}"):
        reproducing_request(_changed(**update))


def test_the_fixed_run_stays_fixed_in_python():
    run = resolve(RunRequest(level="lite"))
    changed = run.config.training.model_copy(update={"epochs": 9})
    with pytest.raises(RequestError, match=r"training.epochs: 9"):
        reproducing_request(replace(run, config=run.config.model_copy(update={"training": changed})))
