"""One of several runs that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phase2.config.request.run_request import RunRequest


@dataclass(frozen=True, slots=True)
class Member:
    """One of several runs that belong together.

    Attributes:
        run_id: Its id: their common name, and what tells it from the others.
        request: Its request.
    """

    run_id: str
    request: RunRequest
