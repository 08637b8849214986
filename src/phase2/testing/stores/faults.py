"""Faults between a client and an S3 server, and their probabilities."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """One way to damage a request or its response."""

    DROP = "drop"
    """The connection is closed; the server never receives the request."""
    LOSE = "lose"
    """The request takes effect, and the connection is closed instead of a response."""
    DELAY = "delay"
    """The request is delayed."""
    TRUNCATE = "truncate"
    """The response is truncated, as if its connection had been closed in good order."""
    ERROR = "error"
    """Status 500 instead of the server's response; the server never receives the request."""
    SLOW_DOWN = "slow_down"
    """The same with 503 ``SlowDown``."""
    TOO_MANY = "too_many"
    """The same with 429 ``TooManyRequests``."""
    RESET_UP = "reset_up"
    """Both connections are reset in the middle of the request's body."""
    RESET_DOWN = "reset_down"
    """The client's connection is reset in the middle of the response."""
    FLIP_UP = "flip_up"
    """One bit of the request's body is flipped."""
    FLIP_DOWN = "flip_down"
    """One bit of an object's content is flipped on its way to the client.

    Listings and other responses are left alone: S3 has no checksum for them, only TLS would detect it.
    """


ERROR_RESPONSES = {
    Fault.ERROR: (500, "InternalError"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.TOO_MANY: (429, "TooManyRequests"),
}
"""Status and code of the faults that replace the response."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities of faults.

    Attributes:
        chances: Probability of each fault; their sum is at most one, since a request has one fault at most.
        methods: HTTP methods affected; empty means all.
        most: Number of faults after which no more are injected; None is unlimited.
        delay: Delay of a delayed request, seconds.
    """

    chances: Mapping[Fault, float] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()
    most: int | None = None
    delay: float = 0.1

    def __post_init__(self) -> None:
        if sum(self.chances.values()) > 1 + 1e-9 or any(chance < 0 for chance in self.chances.values()):
            raise ValueError(f"Chances are positive and at most one together: {dict(self.chances)}")

    @classmethod
    def only(cls, fault: Fault, chance: float = 1.0, *, most: int | None = None, methods: str = "") -> Faults:
        """Make a plan of one kind of fault; ``methods`` are separated by spaces."""
        return cls({fault: chance}, frozenset(methods.split()), most)

    @classmethod
    def mixed(cls, chance: float) -> Faults:
        """Make a plan of all kinds with equal probability, ``chance`` in total."""
        return cls(dict.fromkeys(Fault, chance / len(Fault)))

    def draw(self, seed: int, n: int) -> tuple[Fault | None, float]:
        """Draw the fault of the ``n``-th request and its position in the bytes, from 0 to 1.

        The result depends on seed and ``n`` alone, so a client that sends the same sequence meets the same faults.
        """
        chance = random.Random(f"{seed}/{n}")  # noqa: S311
        place, left = chance.random(), chance.random()
        for fault in Fault:
            left -= self.chances.get(fault, 0)
            if left < 0:
                return fault, place
        return None, place
