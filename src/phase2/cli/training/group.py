"""Runs that belong together, trained one after another in this process and continued by their common name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from phase2.cli.console import echo, note
from phase2.cli.notification import Notices
from phase2.cli.training.continuation import continued_by
from phase2.cli.training.dry_run import print_run
from phase2.cli.training.run_messages import group_message
from phase2.config.multirun.member import Member
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.settings import run_id_of_process
from phase2.errors import RequestError
from phase2.runs.layout import check_run_id, new_run_id

if TYPE_CHECKING:
    from phase2.storage.base import Store
    from phase2.training.run.experiment import FinishedRun, RunContext


@dataclass(frozen=True, slots=True)
class RunGroup(ABC):
    """Runs that belong together.

    Attributes:
        name: Their common name.
        resumption: ``wanted`` where they are continued; the changes that are accepted.
        kind: What they are called.
    """

    name: str
    resumption: ResumeRequest
    kind: ClassVar[str]

    @abstractmethod
    def planned(self) -> Sequence[Member]:
        """Return the members, as far as they are known before the first is trained."""

    @abstractmethod
    def members(self, finished: Sequence[FinishedRun]) -> Iterator[Member]:
        """Return the members in their order; ``finished`` grows by each before the next is asked for."""

    @abstractmethod
    def conclude(self, finished: Sequence[FinishedRun]) -> None:
        """Print how the finished members predict."""

    @abstractmethod
    def described(self, member: Member) -> str:
        """Say in a word or two what tells a member from the others."""

    def print_plan(self) -> None:
        """Print the ids and settings of the members."""
        from phase2.config.resolve import resolve

        first, *_ = members = self.planned()
        for member in members:
            echo(f"member: {member.run_id}, {self.described(member)}")
        print_run(resolve(first.request), self.resumption, None)

    def train(
        self, context: Callable[[], AbstractContextManager[RunContext]], place: Store | None, messages: Notices
    ) -> None:
        """Train the members that are not finished, and print the results of all.

        Args:
            context: Provides the settings of this process for one run.
            place: The store.
            messages: To whom a message of the end goes.

        Raises:
            RequestError: There is nothing to continue, or a member has other settings.
            PreemptedError: A stop was requested.
        """
        from phase2.cli.runs.summary import print_summary
        from phase2.config.resolve import resolve
        from phase2.runs.ancestry.inherit import inherit_settings
        from phase2.training.run.experiment import train_run
        from phase2.training.run.shared_data import SharedData

        planned = self.planned()
        self._refuse_unknown(planned, place)
        note(f"{self.kind}: {self.name}, {len(planned)} runs; --resume {self.name} continues it")
        finished: list[FinishedRun] = []
        data = SharedData()
        again = f"Run the same command with --resume {self.name}."
        with messages.at_end(f"{self.kind} {self.name}") as ending, continued_by(again):
            for member in self.members(finished):
                resumption = replace(self.resumption, run_id=member.run_id)
                with context() as settings:
                    finished.append(
                        train_run(resolve(inherit_settings(member.request)), resumption, replace(settings, data=data))
                    )
                print_summary(finished[-1])
            ending.message = partial(group_message, f"{self.kind} {self.name}", finished)
        self.conclude(finished)

    def _refuse_unknown(self, planned: Sequence[Member], place: Store | None) -> None:
        """Refuse to continue runs of which none exists."""
        from phase2.runs.resume.find import find_by_id

        output = planned[0].request.output
        if self.resumption.wanted and not any(find_by_id(output, one.run_id, place) for one in planned):
            raise RequestError(
                f"There is no {self.kind} '{self.name}' in {output}" + (f" or {place.url}." if place else "."),
                why=f"None of {planned[0].run_id} to {planned[-1].run_id} exists.",
                fix="Check the name and --output, or leave out --resume.",
            )


def name_of_group(kind: str, name: str | None, *, resume: bool) -> str:
    """Return the name of runs: of those that are continued, of the process, or one by chance.

    Args:
        kind: What they are called.
        name: The name that was given.
        resume: Continue them.

    Raises:
        RequestError: There is no name to continue.
    """
    known = name or run_id_of_process()
    if resume and known is None:
        raise RequestError(
            f"--resume does not say which {kind} to continue.",
            fix="Give its name, which the first line of its training says: --resume NAME.",
        )
    return known or new_run_id()


def checked(members: Sequence[Member]) -> Sequence[Member]:
    """Return members whose ids are valid.

    Raises:
        RequestError: An id is too long, or has other characters than those of run ids.
    """
    for member in members:
        check_run_id(member.run_id)
    return members
