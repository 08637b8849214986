"""``phase2 train --ensemble N``: runs that differ in their seed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from phase2.cli.console import echo
from phase2.cli.training.group import RunGroup, checked, name_of_group
from phase2.config.multirun.ensemble import ensemble_members
from phase2.config.multirun.member import Member
from phase2.config.request.resume_request import ResumeRequest

if TYPE_CHECKING:
    from phase2.config.request.run_request import RunRequest
    from phase2.training.run.experiment import FinishedRun


@dataclass(frozen=True, slots=True)
class Ensemble(RunGroup):
    """Runs that differ in their seed, and predict together.

    Attributes:
        of_seeds: Its members, in the order of their seeds.
    """

    of_seeds: Sequence[Member]
    kind: ClassVar[str] = "ensemble"

    @classmethod
    def named(cls, request: RunRequest, count: int, name: str | None, resumption: ResumeRequest) -> Ensemble:
        """Name an ensemble.

        Args:
            request: What all members have in common.
            count: Number of members.
            name: Name of the ensemble to continue.
            resumption: Whether one is continued.

        Raises:
            RequestError: The number or the name is invalid, or there is no name to continue.
        """
        chosen = name_of_group(cls.kind, name, resume=resumption.wanted)
        return cls(chosen, resumption, checked(ensemble_members(request, chosen, count)))

    def planned(self) -> Sequence[Member]:
        """Return the members."""
        return self.of_seeds

    def members(self, finished: Sequence[FinishedRun]) -> Iterator[Member]:  # noqa: ARG002 - none depends on another
        """Return the members in the order of their seeds."""
        return iter(self.of_seeds)

    def described(self, member: Member) -> str:
        """Name the seed."""
        return f"seed {member.request.seed}"

    def conclude(self, finished: Sequence[FinishedRun]) -> None:
        """Print the command that predicts with all."""
        words = [word for run in finished for word in ("--model", str(run.directory.path))]
        echo(f"predict with all: {shlex.join(['phase2', 'predict', *words, '--cif', 'FILE'])}")
