"""Ensembles: one request with several seeds, each an ordinary run. Pure."""

from __future__ import annotations

from dataclasses import replace

from phase2.config.multirun.member import Member
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

FIRST_SEED = 1
MOST = 64


def ensemble_members(request: RunRequest, name: str, count: int) -> tuple[Member, ...]:
    """Return the members of an ensemble: the seed of the request and the next ones, 1, 2, 3, ... where it gives none.

    Ids and seeds are those of the WorkflowTemplate ``phase2-ensemble``.

    Args:
        request: What all members have in common.
        name: Name of the ensemble.
        count: Number of members.

    Raises:
        RequestError: There are fewer than 2 members, or more than 64, or a seed is out of range.

    Example:
        >>> members = ensemble_members(RunRequest(algorithm="cgcnn", level="smoke"), "try", 3)
        >>> [(member.run_id, member.request.seed) for member in members]
        [('try-0', 1), ('try-1', 2), ('try-2', 3)]
    """
    if not 2 <= count <= MOST:
        raise RequestError(
            f"--ensemble {count} is not possible.",
            why=f"An ensemble has 2 to {MOST} members.",
            fix="Give 4, for example, or leave it out for one run.",
        )
    width, first = len(str(count - 1)), FIRST_SEED if request.seed is None else request.seed
    return tuple(Member(f"{name}-{number:0{width}}", replace(request, seed=first + number)) for number in range(count))
