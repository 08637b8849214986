"""One look at an object that executes a run, and which of these looks are news. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from phase2.cluster.run_state import RunState

# API servers keep events for an hour. What began before that was recorded by an earlier process, if there was one.
_RECENT = timedelta(minutes=50)
_CURRENT_PROBLEM = ("blocked", "retrying")


@dataclass(frozen=True, slots=True)
class Observation:
    """An object that executes a run, and the run's state.

    Attributes:
        uid: Unique id of the object.
        api_version: API group and version of its kind.
        state: State of the run.
    """

    uid: str
    api_version: str
    state: RunState

    @property
    def key(self) -> tuple[str, ...]:
        """What distinguishes this state of this object from its other ones; the sentence may change within it."""
        cause = self.state.message.partition(":")[0] if self.state.state == "blocked" else ""
        return (self.uid, self.state.state, str(self.state.attempt), cause)


@dataclass(frozen=True, slots=True)
class News:
    """What has changed since the last look.

    Attributes:
        changed: Observations whose state is new.
        ended: Those of them whose run was seen before and has ended since.
    """

    changed: tuple[Observation, ...]
    ended: tuple[Observation, ...]


class Changes:
    """The states that were seen last, by object."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, ...]] | None = None

    def update(self, observations: Sequence[Observation], now: datetime) -> News:
        """Return what is new.

        The first look of a process has no earlier one: what may have been recorded more than an hour ago, when the API
        server has forgotten it, is not recorded again.

        Args:
            observations: All objects.
            now: The current time.
        """
        seen, first = self._seen or {}, self._seen is None
        changed = [one for one in observations if seen.get(one.uid) != one.key]
        ended = [one for one in changed if one.state.has_ended and not first]
        self._seen = {one.uid: one.key for one in observations}
        if first:
            changed = [one for one in changed if _is_recent(one.state, now)]
        return News(tuple(changed), tuple(ended))


def _is_recent(state: RunState, now: datetime) -> bool:
    return state.state in _CURRENT_PROBLEM or now - (state.ended or state.created) < _RECENT
