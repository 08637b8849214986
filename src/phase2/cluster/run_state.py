"""What became of a run in the cluster: a state, and one sentence that says what is going on or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["queued", "waiting", "blocked", "running", "retrying", "stopping", "succeeded", "failed", "cancelled"]
SWEEP = "sweep"
ENDED: tuple[State, ...] = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run in the cluster.

    Attributes:
        run_id: Its id.
        kind: ``Job`` or ``Workflow``: what carries it.
        name: Name of that object.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, ``competition``, or what else a Workflow does: ``sweep`` for several runs.
        state: In one word; ``queued`` has not begun, ``blocked`` waits for something that a person has to do.
        sentence: What is going on or wrong, to follow "it".
        step: Step of the Workflow that is under way; None where there is none, or none alone.
        attempt: Number of the attempt under way, or of the last one; 0 before the first.
        pod: Its newest pod.
        node: Where that runs.
        exit_code: Exit code of the last attempt that ended.
        created: When it was submitted.
        ended: When it ended.
        command: The command that makes the same request.
    """

    run_id: str
    kind: str
    name: str
    algorithm: str
    mode: str
    state: State
    sentence: str
    step: str | None = None
    attempt: int
    pod: str | None
    node: str | None
    exit_code: int | None
    created: datetime
    ended: datetime | None
    command: str

    @property
    def has_ended(self) -> bool:
        """Whether nothing happens any more."""
        return self.state in ENDED

    @property
    def resume_command(self) -> str:
        """The command that goes on with it after it has failed or was stopped."""
        return self.command if self.mode == SWEEP else f"phase2 submit --resume {self.run_id}"
