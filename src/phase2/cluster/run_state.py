"""State of a run in the cluster: a keyword, and one sentence that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["queued", "waiting", "blocked", "running", "retrying", "stopping", "succeeded", "failed", "cancelled"]
SWEEP = "sweep"
ENDED: tuple[State, ...] = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """State of a run in the cluster.

    Attributes:
        run_id: Id of the run.
        kind: Kind of the object that executes it: ``Job``, ``Workflow``, ``JobSet`` or ``TrainJob``.
        name: Name of that object.
        namespace: Namespace of that object.
        algorithm: ``e3nn`` or ``cgcnn``; ``-`` while it is not known.
        mode: The level, ``competition``, or another task of a Workflow, such as ``sweep``; ``-`` while it is not known.
        state: Keyword; a ``queued`` run has not started, a ``blocked`` one needs somebody to act.
        message: What the run does or what is wrong, to follow "it".
        step: Step of the Workflow that is running; None if there is none, or several.
        attempt: Number of the current or last attempt; 0 before the first.
        pod: Name of its newest pod; of a group that of rank 0, which writes the run.
        node: Node of that pod.
        exit_code: Exit code of the last attempt that ended.
        created: Time of submission.
        ended: Time of its end; None before.
        command: Command line of the same request.
        eta_seconds: Estimated time until the last step of its training; None where that is not known.
    """

    run_id: str
    kind: str
    name: str
    namespace: str
    algorithm: str
    mode: str
    state: State
    message: str
    step: str | None = None
    attempt: int
    pod: str | None
    node: str | None
    exit_code: int | None
    created: datetime
    ended: datetime | None
    command: str
    eta_seconds: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended."""
        return self.state in ENDED

    @property
    def resume_command(self) -> str:
        """Command that resumes the run after it failed or was cancelled."""
        is_own = self.mode == SWEEP or self.command.startswith("phase2 tune ")
        return self.command if is_own else f"phase2 submit --resume {self.run_id}"
