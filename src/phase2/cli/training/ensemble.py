"""``phase2 train --ensemble N``: runs that differ in their seed, one after another in this process."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from phase2.cli.console import echo, note
from phase2.cli.notification import Notices
from phase2.cli.training.dry_run import print_run
from phase2.cli.training.run_messages import ensemble_message
from phase2.config.multirun.ensemble import EnsembleMember, ensemble_members
from phase2.config.resumption import ResumeRequest
from phase2.config.settings import run_id_of_process
from phase2.errors import RequestError
from phase2.runs.layout import check_run_id, new_run_id

if TYPE_CHECKING:
    from phase2.config.request import RunRequest
    from phase2.storage.base import Store
    from phase2.training.run.experiment import FinishedRun, RunContext


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Members of an ensemble, and whether they were begun before.

    Attributes:
        name: Its name.
        members: Its members, in the order of their seeds.
        resumption: ``wanted`` where the ensemble is continued; the changes that are accepted.
    """

    name: str
    members: tuple[EnsembleMember, ...]
    resumption: ResumeRequest

    @classmethod
    def named(
        cls, request: RunRequest, count: int, *, name: str | None, resume: bool, accepted: tuple[str, ...]
    ) -> Ensemble:
        """Name an ensemble after the one that is continued, after the process, or by chance.

        Args:
            request: What all members have in common.
            count: Number of members.
            name: Name of the ensemble to continue.
            resume: Continue one.
            accepted: Changes since its last checkpoint that are accepted.

        Raises:
            RequestError: The number or the name is invalid, or there is no name to continue.
        """
        known = name or run_id_of_process()
        if resume and known is None:
            raise RequestError(
                "--resume does not say which ensemble to continue.",
                fix="Give its name, which the first line of its training says: --resume NAME.",
            )
        chosen = known or new_run_id()
        members = ensemble_members(request, chosen, count)
        check_run_id(members[-1].run_id)
        return cls(chosen, members, ResumeRequest(resume, accepted=accepted))

    def print_plan(self) -> None:
        """Print the ids, seeds and settings of the members."""
        from phase2.config.resolve import resolve

        for member in self.members:
            echo(f"member: {member.run_id}, seed {member.request.seed}")
        print_run(resolve(self.members[0].request), self.resumption, None)

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
        from phase2.training.run.experiment import train_run
        from phase2.training.run.shared_data import SharedData

        self._refuse_unknown(place)
        note(f"ensemble: {self.name}, {len(self.members)} runs; --resume {self.name} continues it")
        finished: list[FinishedRun] = []
        data = SharedData()
        with messages.at_end(f"ensemble {self.name}") as ending:
            for member in self.members:
                resumption = replace(self.resumption, run_id=member.run_id)
                with context() as settings:
                    finished.append(train_run(resolve(member.request), resumption, replace(settings, data=data)))
                print_summary(finished[-1])
            ending.message = partial(ensemble_message, self.name, finished)
        words = [word for run in finished for word in ("--model", str(run.directory.path))]
        echo(f"predict with all: {shlex.join(['phase2', 'predict', *words, '--cif', 'FILE'])}")

    def _refuse_unknown(self, place: Store | None) -> None:
        """Refuse to continue an ensemble of which no member exists."""
        from phase2.runs.resume.find import find_by_id

        output = self.members[0].request.output
        if self.resumption.wanted and not any(find_by_id(output, one.run_id, place) for one in self.members):
            raise RequestError(
                f"There is no ensemble '{self.name}' in {output}" + (f" or {place.url}." if place else "."),
                why=f"None of {self.members[0].run_id} to {self.members[-1].run_id} exists.",
                fix="Check the name and --output, or leave out --resume.",
            )
