"""Which process of a run this is, by the variables of torchrun and of a cluster."""

import pytest

from phase2.errors import RequestError
from phase2.machine.rank import Rank, rank_of_process

POD = {"PET_NNODES": "3", "PET_NODE_RANK": "1", "PET_MASTER_ADDR": "run-0.phase2-group", "PET_MASTER_PORT": "29500"}
LAUNCHED = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
HERE = {"MASTER_ADDR": "localhost", "MASTER_PORT": "1234"}


@pytest.fixture
def rank(monkeypatch):
    """Returns the rank of a process that has these variables alone."""

    def read(variables: dict[str, str]) -> Rank:
        for name in (*POD, *LAUNCHED, *HERE, "GROUP_WORLD_SIZE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return rank_of_process()

    return read


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"PET_NNODES": "1"},
        {"PET_NNODES": "1", "PET_NODE_RANK": "0"},
        {"RANK": "0", "WORLD_SIZE": "1"},
    ],
)
def test_it_is_alone_where_nothing_says_otherwise(rank, variables):
    assert rank(variables) == Rank()


def test_a_launcher_gives_each_process_its_rank(rank):
    assert rank(LAUNCHED | HERE) == Rank(1, 4, 1, 4, launched=True, address="localhost", port=1234)
    of_one_each = rank({"RANK": "1", "WORLD_SIZE": "2", **HERE})
    assert of_one_each == Rank(1, 2, 0, 1, launched=True, address="localhost", port=1234)
    assert of_one_each.spans_machines


def test_a_pod_is_one_process_until_it_starts_those_of_its_gpus(rank):
    pod = rank(POD)
    assert pod == Rank(1, 3, 0, 1, launched=False, address="run-0.phase2-group", port=29500)
    assert not pod.is_beside_first
    started = rank(POD | LAUNCHED | HERE | {"GROUP_WORLD_SIZE": "1"})
    assert started == Rank(5, 12, 1, 4, launched=True, address="run-0.phase2-group", port=29500)
    assert not started.is_beside_first
    assert rank(POD | LAUNCHED | HERE | {"GROUP_WORLD_SIZE": "1", "PET_NODE_RANK": "0"}).is_beside_first


def test_torchrun_itself_counts_over_the_nodes(rank):
    of_torchrun = {"RANK": "5", "WORLD_SIZE": "12", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "GROUP_WORLD_SIZE": "3"}
    assert rank(POD | of_torchrun | HERE).number == 5


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (POD | {"PET_NODE_RANK": "3"}, "PET_NNODES=3, PET_NODE_RANK=3 do not fit"),
        (POD | {"PET_NODE_RANK": ""}, "PET_NODE_RANK is not set"),
        (POD | {"PET_NNODES": "1:4"}, "PET_NNODES is '1:4', which is no number"),
        (POD | {"PET_MASTER_ADDR": ""}, "PET_MASTER_ADDR is not set"),
        (POD | {"PET_MASTER_PORT": ""}, "PET_MASTER_PORT is not set"),
        (LAUNCHED | HERE | {"RANK": "4"}, "RANK=4, WORLD_SIZE=4"),
        (LAUNCHED | HERE | {"MASTER_PORT": "here"}, "MASTER_PORT is 'here'"),
    ],
)
def test_variables_that_do_not_fit_are_named(rank, variables, says):
    with pytest.raises(RequestError, match="cannot join the others") as caught:
        rank(variables)
    assert says in caught.value.why
