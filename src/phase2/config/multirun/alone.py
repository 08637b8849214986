"""One run of several properties, and one of each of them alone, to predict each by the better one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phase2.config.multirun.member import Member
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError

TOGETHER = "together"


def together(request: RunRequest, name: str) -> Member:
    """Return the run of all properties of a request.

    Args:
        request: The request.
        name: Common name of the runs.

    Raises:
        RequestError: It asks for one property, or for a part of the crystals.
    """
    config = resolve(request).config
    if len(config.properties) < 2:
        raise RequestError(
            f"--also-alone has nothing to compare: the run is of {config.properties[0]} alone.",
            fix="Name two properties or more with --properties, or leave out --also-alone.",
        )
    if config.data.max_samples is not None:
        raise RequestError(
            f"--also-alone needs all crystals, and this run uses at most {config.data.max_samples:,}.",
            why="They are chosen by their labels, so that a run of another property would have others, and its errors "
            "would not compare.",
            fix="Train at a level that uses all (std, pro or max), or with --set data.max_samples=null.",
        )
    return Member(f"{name}-{TOGETHER}", request)


def alone(request: RunRequest, name: str, properties: Sequence[str]) -> tuple[Member, ...]:
    """Return a run of each property, with everything else as in the request.

    Args:
        request: The request of the run of all.
        name: Common name of the runs.
        properties: Keys of the properties.

    Example:
        >>> members = alone(RunRequest(algorithm="cgcnn"), "try", ["band_gap", "ehull"])
        >>> [(member.run_id, member.request.properties) for member in members]
        [('try-band_gap', ('band_gap',)), ('try-ehull', ('ehull',))]
    """
    return tuple(
        Member(f"{name}-{key}", replace(request, all_properties=False, properties=(key,))) for key in properties
    )
