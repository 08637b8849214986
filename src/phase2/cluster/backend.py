"""What carries a run in a cluster: a Job, or a Workflow. What they have in common is done elsewhere, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from phase2.cluster.objects import Object
from phase2.cluster.run_state import RunState

if TYPE_CHECKING:
    from phase2.cluster.plan import Plan

ClusterBackend = Literal["job", "argo"]
Ending = Literal["succeeded", "failed"]


class Carrier(Protocol):
    """A kind of object that carries runs, and how it is written, read and stopped. Pure.

    Attributes:
        backend: What ``--backend`` calls it.
        kind: Its kind.
        group: Path of its group and version in the API.
        plural: Its name there.
        pod_label: Label by which its pods name it.
        container: Container of its pods that runs phase2.
    """

    @property
    def backend(self) -> ClusterBackend: ...  # noqa: D102 - described above, as are the others
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def plural(self) -> str: ...  # noqa: D102
    @property
    def pod_label(self) -> str: ...  # noqa: D102
    @property
    def container(self) -> str: ...  # noqa: D102

    def build(self, plan: Plan) -> dict[str, Any]:
        """The object of a plan, as the API server takes it.

        Raises:
            RequestError: The plan asks for something that this kind cannot do.
        """
        ...

    def run_id(self, one: Object) -> str:
        """Id of the run that an object carries."""
        ...

    def ending(self, one: Object) -> Ending | None:
        """How an object has ended; None while it has not."""
        ...

    def is_stopping(self, one: Object) -> bool:
        """Whether an object that has not ended was asked to stop."""
        ...

    def stop_patch(self, now: datetime) -> Object:
        """The change (JSON merge patch) that stops an object: its pods get SIGTERM and save."""
        ...

    def state(
        self, one: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """Say what became of the run that an object carries.

        Args:
            one: The object.
            pods: Its pods.
            events: What was noticed in its namespace.
            now: The time; None is that of this machine.
        """
        ...

    def logged(self, pods: Sequence[Object]) -> list[Object]:
        """The pods whose logs say what the run has printed, in order."""
        ...

    def template(self, manifest: Object) -> str | None:
        """Name of the WorkflowTemplate that an object needs; None where it needs none."""
        ...
