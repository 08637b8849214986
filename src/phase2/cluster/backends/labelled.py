"""What the backends share whose objects phase2 alone creates, and whose pods are attempts of one run."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.cluster.labels import is_labelled
from phase2.cluster.objects import Object, newest_first
from phase2.cluster.status.group import of_rank
from phase2.cluster.status.identity import RunIdentity, job_identity
from phase2.cluster.status.pod import has_started


class LabelledBackend:
    """Base of backends whose objects have the labels of phase2."""

    __slots__ = ()

    def owns(self, obj: Object) -> bool:
        """Whether an object has the labels of phase2."""
        return is_labelled(obj)

    def identity(self, obj: Object) -> RunIdentity:
        """Return the run in the labels."""
        return job_identity(obj)

    def run_id(self, obj: Object) -> str:
        """Return the run id stored in the label."""
        return self.identity(obj).run_id

    def pods_to_log(self, pods: Sequence[Object], rank: int = 0) -> list[Object]:
        """Select the newest attempt; its log names the checkpoint that it resumed from."""
        return [newest for newest in newest_first(of_rank(pods, rank))[:1] if has_started(newest)]

    def required_template(self, manifest: Object) -> str | None:  # noqa: ARG002
        """Return None: no template is referred to."""
        return None
