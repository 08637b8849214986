"""Which of the processes that train one run this is, by the variables of torchrun.

A launcher gives a process its own rank: ``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK``, ``LOCAL_WORLD_SIZE``. A cluster gives
all processes of a pod the place of their node: the variables that torchrun reads as its options, ``PET_NNODES`` and
``PET_NODE_RANK`` with the address of the first node, as Kubeflow's trainer sets them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from phase2.errors import RequestError

NODES_VARIABLE, NODE_VARIABLE = "PET_NNODES", "PET_NODE_RANK"
"""Variables of a cluster: how many nodes train the run, and which of them this is."""
ADDRESS_VARIABLE, PORT_VARIABLE = "PET_MASTER_ADDR", "PET_MASTER_PORT"
"""Variables of a cluster: where the first node is."""

_RANK = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
_NODE = (NODES_VARIABLE, NODE_VARIABLE)
_LAUNCHED_NODES = "GROUP_WORLD_SIZE"


@dataclass(frozen=True, slots=True)
class Rank:
    """Number of a process among those that train one run.

    Attributes:
        number: Number of the process, from 0.
        processes: Number of processes, at least 1.
        local: Number of the process on its machine, which is that of its GPU.
        local_processes: Processes on its machine.
        launched: Whether a launcher started it as one of several; otherwise it may start those of its machine.
        address: Host at which the processes meet the first one; empty where this process is alone.
        port: Port of it.
    """

    number: int = 0
    processes: int = 1
    local: int = 0
    local_processes: int = 1
    launched: bool = False
    address: str = ""
    port: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.number == 0

    @property
    def is_beside_first(self) -> bool:
        """Whether the process that writes the run is on this machine, or is this one."""
        return self.number < self.local_processes

    @property
    def spans_machines(self) -> bool:
        """Whether some of the processes are on other machines."""
        return self.processes > self.local_processes


def rank_of_process() -> Rank:
    """Read the rank of this process; alone where nothing says otherwise.

    Raises:
        RequestError: A variable is missing, is no number, or does not fit the others.
    """
    node, nodes = _node()
    if not os.environ.get("RANK") or not os.environ.get("WORLD_SIZE"):
        return Rank() if nodes == 1 else Rank(node, nodes, **_meeting(ADDRESS_VARIABLE, PORT_VARIABLE))
    # Other launchers than torchrun may leave these two out where a machine has one process.
    numbers = _numbers(_RANK, {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"})
    number, processes, local, local_processes = numbers.values()
    if not (number < processes and local < local_processes <= processes):
        raise _refusal(_assigned(_RANK) + " do not fit each other")
    if nodes > 1 and os.environ.get(_LAUNCHED_NODES) == "1":  # the processes of this node alone were started together
        number, processes = node * processes + number, nodes * processes
        meeting = _meeting(ADDRESS_VARIABLE, PORT_VARIABLE)
        return Rank(number, processes, local, local_processes, launched=True, **meeting)
    if processes == 1:
        return Rank()
    return Rank(number, processes, local, local_processes, launched=True, **_meeting("MASTER_ADDR", "MASTER_PORT"))


def refuse_many_processes(processes: int, crystals: int) -> None:
    """Refuse more processes than a batch has crystals.

    Raises:
        RequestError: There are more.
    """
    if processes > crystals:
        raise RequestError(
            f"{processes} processes cannot share a batch of {crystals} crystals.",
            why="Each trains its share of every batch, and the batch is that of one process.",
            fix=f"Give {crystals} at most, or a larger --batch-size, which trains another model.",
        )


def _node() -> tuple[int, int]:
    """Return the number of this node, and how many there are."""
    if not os.environ.get(NODES_VARIABLE):
        return 0, 1
    nodes, node = _numbers(_NODE, {NODE_VARIABLE: "0"} if os.environ[NODES_VARIABLE] == "1" else {}).values()
    if not node < nodes:
        raise _refusal(_assigned(_NODE) + " do not fit each other")
    return node, nodes


def _numbers(names: Iterable[str], absent: dict[str, str]) -> dict[str, int]:
    texts = {name: os.environ.get(name) or absent.get(name, "") for name in names}
    for name, text in texts.items():
        if not text.isdecimal():
            raise _refusal(f"{name} is '{text}', which is no number" if text else f"{name} is not set")
    return {name: int(text) for name, text in texts.items()}


class _Meeting(TypedDict):
    address: str
    port: int


def _meeting(address: str, port: str) -> _Meeting:
    host = os.environ.get(address)
    if not host:
        raise _refusal(f"{address} is not set")
    return {"address": host, "port": _numbers([port], {})[port]}


def _assigned(names: Iterable[str]) -> str:
    return ", ".join(f"{name}={os.environ.get(name, '')}" for name in names)


def _refusal(why: str) -> RequestError:
    return RequestError(
        "This process cannot join the others that train the run.",
        why=f"{why}; these variables say where and who the others are.",
        fix="Start it by torchrun, or unset RANK, WORLD_SIZE and PET_NNODES to train in this process alone.",
    )
