"""What a cluster backend has to provide: a protocol.

Everything that the backends share (submitting, following, listing) is written once, against this protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from phase2.cluster.objects import Object
from phase2.cluster.run_state import RunState
from phase2.cluster.status.identity import RunIdentity

if TYPE_CHECKING:
    from phase2.cluster.plan import Plan

BackendName = Literal["job", "argo", "jobset", "trainjob"]
Outcome = Literal["succeeded", "failed"]


class RunBackend(Protocol):
    """Kubernetes object type that executes runs: how it is built, read and stopped. Pure.

    Attributes:
        name: Value of ``--backend`` that selects it.
        kind: Kind of the object.
        group: Path of its API group and version.
        plural: Plural of its kind in the API.
        pod_label: Label of its pods that holds the object's name.
        container: Container of its pods that runs phase2.
        are_labelled: Whether all objects of its runs have the labels of phase2, so that the server can select them.
    """

    @property
    def name(self) -> BackendName: ...  # noqa: D102 - described above, as are the others
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
    @property
    def are_labelled(self) -> bool: ...  # noqa: D102

    def build(self, plan: Plan) -> dict[str, Any]:
        """Return the manifest of a plan, as the API server accepts it.

        Raises:
            RequestError: The plan requests something that this backend does not support.
        """
        ...

    def owns(self, obj: Object) -> bool:
        """Whether an object of this kind executes a run of phase2, whoever created it."""
        ...

    def identity(self, obj: Object) -> RunIdentity:
        """Return which run an object executes, as far as the object itself records it."""
        ...

    def run_id(self, obj: Object) -> str:
        """Return the id of the run that an object executes."""
        ...

    def outcome(self, obj: Object) -> Outcome | None:
        """Return how an object ended; None while it has not."""
        ...

    def is_stopping(self, obj: Object) -> bool:
        """Whether an object that has not ended was requested to stop."""
        ...

    def stop_patch(self, now: datetime) -> Object:
        """Return the JSON merge patch that stops an object: its pods receive SIGTERM and save a checkpoint."""
        ...

    def state(
        self, obj: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """Return the state of the run that an object executes.

        Args:
            obj: The object.
            pods: Its pods.
            events: Events of its namespace.
            now: The current time; None reads this machine's clock.
        """
        ...

    def pods_to_log(self, pods: Sequence[Object], rank: int = 0) -> list[Object]:
        """Select the pods whose logs make up the output of a rank of the run, in order."""
        ...

    def required_template(self, manifest: Object) -> str | None:
        """Return the name of the WorkflowTemplate that an object refers to; None if it refers to none."""
        ...
