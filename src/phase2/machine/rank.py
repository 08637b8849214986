"""Which of the processes that train one run this is, by the variables that torchrun sets."""

from __future__ import annotations

import os
from dataclasses import dataclass

from phase2.errors import RequestError

_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


@dataclass(frozen=True, slots=True)
class Rank:
    """Number of a process among those that train one run.

    Attributes:
        number: Number of the process, from 0.
        processes: Number of processes, at least 1.
        local: Number of the process on its machine, which is that of its GPU.
        local_processes: Processes on its machine.
    """

    number: int = 0
    processes: int = 1
    local: int = 0
    local_processes: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.number == 0


def rank_of_process() -> Rank:
    """Read the rank of this process; alone where torchrun did not start it.

    Raises:
        RequestError: A variable is missing or no number.
    """
    if not os.environ.get("RANK") or not os.environ.get("WORLD_SIZE"):
        return Rank()
    texts = {name: os.environ.get(name, "") for name in _VARIABLES}
    # Other launchers than torchrun may leave these two out where a machine has one process.
    texts |= {"LOCAL_RANK": texts["LOCAL_RANK"] or "0", "LOCAL_WORLD_SIZE": texts["LOCAL_WORLD_SIZE"] or "1"}
    for name, text in texts.items():
        if not text.isdecimal():
            raise _refusal(f"{name} is '{text}', which is no number")
    rank = Rank(*(int(texts[name]) for name in _VARIABLES))
    if not (rank.number < rank.processes and rank.local < rank.local_processes <= rank.processes):
        raise _refusal(", ".join(f"{name}={text}" for name, text in texts.items()) + " do not fit each other")
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if not os.environ.get(name)]
    if rank.processes > 1 and missing:
        raise _refusal(f"{missing[0]} is not set")
    return rank


def _refusal(why: str) -> RequestError:
    return RequestError(
        "This process cannot join the others that train the run.",
        why=f"{why}; these variables say where and who the others are.",
        fix="Start it by torchrun, or unset RANK and WORLD_SIZE to train in this process alone.",
    )
