"""Search spaces: read as they are written, checked against the schema, and the same names as ``--set``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.config.levels import ALGORITHMS
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.search.dimensions import Choices, Range
from phase2.config.search.parser import parse_dimension
from phase2.config.search.space import SearchSpace
from phase2.errors import RequestError, UnknownNameError

WRITTEN = (
    "training.lr=0.0001..0.01:log",
    "training.batch_size=16,32,64",
    "model.convolutions=2..4",
    "model.width=16..64:step=16",
    "training.weight_decay=0.0..1.0",
    "training.patience=10,null",
    "training.loss=huber,l1",
    "data.graph.cutoff=4.0..6.0",
)


def test_a_space_is_read_as_it_is_written():
    space = SearchSpace.parse(WRITTEN, "cgcnn")
    assert space.texts == WRITTEN
    assert space.dimensions[0] == Range("training.lr", 1e-4, 1e-2, log=True)
    assert space.dimensions[1] == Choices("training.batch_size", (16, 32, 64))
    assert isinstance(space.dimensions[2].low, int)
    assert isinstance(space.dimensions[4].low, float)


def test_lists_are_choices():
    (channels,) = SearchSpace.parse(["model.channels=[32],[64,32]"], "e3nn").dimensions
    assert channels.values == ((32,), (64, 32))
    assert channels.has([64, 32])
    assert not channels.has([32, 64])


@given(
    st.floats(1e-8, 1e3, allow_subnormal=False),
    st.floats(1e-8, 1e3, allow_subnormal=False),
    st.booleans(),
)
def test_every_range_survives_its_text(one, other, log):
    if one == other:
        return
    written = Range("training.lr", min(one, other), max(one, other), log=log)
    assert parse_dimension(written.text, "cgcnn") == written


@given(st.lists(st.integers(1, 10**6), min_size=2, unique=True))
def test_all_choices_survive_their_text(values):
    written = Choices("training.batch_size", tuple(values))
    assert parse_dimension(written.text, "e3nn") == written


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("training.lrr=1..2", UnknownNameError, "Did you mean 'training.lr'?"),
        ("training.batch_size=16.5..32", RequestError, "Expected an integer of at least 1"),
        ("training.lr=0..1", RequestError, "Expected a number above 0"),
        ("training.loss=huber,l2", UnknownNameError, "Did you mean 'l1'?"),
        ("training.loss=1..2", RequestError, "has no range"),
        ("training.lr=1e-2..1e-3", RequestError, "the smaller one"),
        ("training.weight_decay=0..1:log", RequestError, "begins above zero"),
        ("model.width=16..64:log:step=2", RequestError, "has no step"),
        ("model.width=16..64:step=100", RequestError, "not longer than the range"),
        ("training.lr=1..2:lag", RequestError, "low..high"),
        ("training.lr=3e-3", RequestError, "leaves no choice"),
        ("training.lr", RequestError, "has no '='"),
        ("seed=1,2,3", RequestError, "luck"),
        ("properties=[band_gap],[formation_energy]", RequestError, "same crystals and properties"),
        ("data.max_samples=100,200", RequestError, "same crystals and properties"),
        ("model.layers=2..4", RequestError, "belongs to the network of e3nn"),
        ("level=smoke,std", RequestError, "--level"),
    ],
)
def test_what_is_no_search_is_refused(text, kind, says):
    with pytest.raises(kind, match=says.replace(".", r"\.").replace("?", r"\?")):
        SearchSpace.parse([text], "cgcnn")


def test_a_setting_is_searched_once():
    with pytest.raises(RequestError, match="given twice"):
        SearchSpace.parse(["training.lr=1e-4..1e-2", "training.lr=1e-3,1e-4"], "cgcnn")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"lr": 1e-3}, "--lr and --over training.lr give one setting"),
        ({"level": "lite", "algorithm": "e3nn"}, "fixed at 2 epochs"),
    ],
)
def test_the_request_leaves_open_what_is_searched(words, says):
    space = SearchSpace.parse(["training.lr=1e-4..1e-2:log"], "cgcnn")
    with pytest.raises(RequestError, match=says):
        space.check(RunRequest(**({"algorithm": "cgcnn"} | words)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_trial_is_a_request_like_any_other(algorithm):
    space = SearchSpace.parse(["training.lr=1e-4..1e-2:log", "training.patience=10,null"], algorithm)
    base = RunRequest(algorithm=algorithm, level="smoke", seed=7)
    space.check(base)
    config = resolve(space.request(base, {"training.lr": 3e-3, "training.patience": None})).config
    assert (config.training.lr, config.training.patience, config.seed) == (3e-3, None, 7)


def test_a_file_holds_the_same(tmp_path):
    file = tmp_path / "space.yaml"
    file.write_text(
        "training:\n  lr: 1e-4..1e-2:log\n  batch_size: [16, 32, 64]\nmodel: {convolutions: 2..4}\n"
        "data: {graph: {cutoff: [4, 5]}}\n"
    )
    found = SearchSpace.read(file, "cgcnn")
    assert found.texts == (*WRITTEN[:3], "data.graph.cutoff=4.0,5.0")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("level: smoke", "'level' cannot be searched"),
        ("training: {lr: 0.1}", "leaves no choice"),
        ("training: {lrr: 1..2}", "Did you mean 'training.lr'?"),
        ("training.lr: 1..2", "dot in its name"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_no_space_is_refused(tmp_path, text, says):
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(RequestError, match=says.replace("?", r"\?")):
        SearchSpace.read(file, "cgcnn")


def test_a_missing_file_names_the_option(tmp_path):
    with pytest.raises(RequestError, match="--space"):
        SearchSpace.read(tmp_path / "nowhere.yaml", "cgcnn")
