"""What can go wrong between a client and an S3 server, and how often it is to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """One way to harm a request or its answer."""

    DROP = "drop"
    """The connection is closed; the server never hears of the request."""
    LOSE = "lose"
    """The request takes effect, and the connection is closed in place of the answer."""
    DELAY = "delay"
    """The request waits before it is passed on."""
    TRUNCATE = "truncate"
    """The answer ends too early, as if its connection had been closed in good order."""
    ERROR = "error"
    """Status 500 in place of the server's answer; the server never hears of the request."""
    SLOW_DOWN = "slow_down"
    """The same with 503 ``SlowDown``."""
    TOO_MANY = "too_many"
    """The same with 429 ``TooManyRequests``."""
    RESET_UP = "reset_up"
    """Both connections are reset in the middle of the request's body."""
    RESET_DOWN = "reset_down"
    """The client's connection is reset in the middle of the answer."""
    FLIP_UP = "flip_up"
    """One bit of the request's body is changed."""
    FLIP_DOWN = "flip_down"
    """One bit of an object's content is changed on its way to the client.

    Listings and other answers are left alone: S3 has no checksum for them, only TLS would show it.
    """


ANSWERS = {
    Fault.ERROR: (500, "InternalError"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.TOO_MANY: (429, "TooManyRequests"),
}
"""Status and code of the faults that are answers of their own."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each fault befalls a request.

    Attributes:
        chances: Probability of each fault; their sum is at most one, since a request meets one fault at most.
        methods: HTTP methods that are harmed; empty means all.
        most: Faults after which everything goes well; None is no end.
        delay: How long a delayed request waits, seconds.
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
        """One kind of fault; ``methods`` are separated by spaces."""
        return cls({fault: chance}, frozenset(methods.split()), most)

    @classmethod
    def mixed(cls, chance: float) -> Faults:
        """Every kind equally often, ``chance`` together."""
        return cls(dict.fromkeys(Fault, chance / len(Fault)))

    def draw(self, seed: int, n: int) -> tuple[Fault | None, float]:
        """The fault of the ``n``-th request and where in its bytes it happens (a share from 0 to 1).

        It depends on nothing else, so a client that asks in the same order meets the same faults.
        """
        chance = random.Random(f"{seed}/{n}")  # noqa: S311
        place, left = chance.random(), chance.random()
        for fault in Fault:
            left -= self.chances.get(fault, 0)
            if left < 0:
                return fault, place
        return None, place
