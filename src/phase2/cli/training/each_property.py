"""``phase2 train --also-alone`` and ``--also-fine-tuned``: several properties in one run, and each in others."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from phase2.cli.console import echo, print_table
from phase2.cli.training.group import RunGroup, checked, name_of_group
from phase2.config.multirun.each_property import alone, fine_tuned, together
from phase2.config.multirun.member import Member
from phase2.config.multirun.ways import TOGETHER, Ways
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import resolve
from phase2.runs.report.markdown import number

if TYPE_CHECKING:
    from phase2.config.request.run_request import RunRequest
    from phase2.training.run.experiment import FinishedRun


@dataclass(frozen=True, slots=True)
class EachProperty(RunGroup):
    """A run of several properties, and others of each of them, to predict each property by the best one.

    Attributes:
        first: The run of all.
        ways: How each property is trained besides.
    """

    first: Member
    ways: Ways
    kind: ClassVar[str] = "comparison"

    @classmethod
    def named(cls, request: RunRequest, ways: Ways, name: str | None, resumption: ResumeRequest) -> EachProperty:
        """Name the runs.

        Args:
            request: The run of all properties.
            ways: How each property is trained besides.
            name: Name of the runs to continue.
            resumption: Whether some are continued.

        Raises:
            RequestError: The request is of one property or of a part of the crystals, or the name is invalid.
        """
        chosen = name_of_group(cls.kind, name, resume=resumption.wanted)
        found = cls(chosen, resumption, together(request, chosen, ways.options), ways)
        checked(found.planned())
        return found

    def planned(self) -> Sequence[Member]:
        """Return the run of all and those of each property; those without labels are left out later."""
        return self.first, *self._of_each(resolve(self.first.request).config.properties, self.first.run_id)

    def members(self, finished: Sequence[FinishedRun]) -> Iterator[Member]:
        """Return the run of all, and then those of each property that it was trained for."""
        yield self.first
        shared = finished[0]
        yield from self._of_each(shared.manifest.properties, str(shared.directory.path.resolve()))

    def _of_each(self, properties: Sequence[str], source: str) -> Iterator[Member]:
        request = self.first.request
        if self.ways.alone:
            yield from alone(request, self.name, properties)
        if self.ways.fine_tuned:
            yield from fine_tuned(request, self.name, properties, source)

    def described(self, member: Member) -> str:
        """Name the properties, and the run that a member starts from."""
        request = self.first.request
        if member is self.first:
            return ", ".join(resolve(request).config.properties)
        named = ", ".join(member.request.properties or ())
        return named if member.request.from_ == request.from_ else f"{named} from {self.first.run_id}"

    def conclude(self, finished: Sequence[FinishedRun]) -> None:
        """Print which run is best for each property, and the command that predicts by these."""
        shared, *others = finished
        keys = shared.manifest.properties
        by_way = {way: others[k * len(keys) : (k + 1) * len(keys)] for k, way in enumerate(self.ways.names)}
        found = [
            _Candidates(key, {TOGETHER: shared} | {way: runs[k] for way, runs in by_way.items()})
            for k, key in enumerate(keys)
        ]
        columns = (TOGETHER, *(column for way in by_way for column in (way, "change")))
        is_mixed = any(one.is_binary for one in shared.manifest.val)
        title = f"validation error{', log loss of binary ones' if is_mixed else ''}"
        print_table(title, ("property", "unit", *columns, "best"), [one.row for one in found], numeric=columns)
        best = [one.runs[one.best] for one in found]
        needed = [run for run in finished if any(run is one for one in best)]
        models = [word for run in needed for word in ("--model", str(run.directory.path))]
        combined = ["--combine", "best"] if len(needed) > 1 else []
        command = shlex.join(["phase2", "predict", *models, *combined, "--cif", "FILE"])
        echo(f"predict each property by the best run: {command}")


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The runs that can predict a property.

    Attributes:
        key: The property.
        runs: The runs, by how they were trained; the run of all first.
    """

    key: str
    runs: Mapping[str, FinishedRun]

    @property
    def errors(self) -> dict[str, float | None]:
        """Validation errors, by how the runs were trained; None where there is none."""
        return {
            way: next((one.error for one in run.manifest.val if one.key == self.key), None)
            for way, run in self.runs.items()
        }

    @property
    def best(self) -> str:
        """How the run with the smallest validation error was trained; of equal ones the first."""
        known = {way: error for way, error in self.errors.items() if error is not None}
        return min(known, key=known.__getitem__, default=TOGETHER)

    @property
    def row(self) -> tuple[str, ...]:
        """The row of the table."""
        shared, *others = self.errors.values()
        cells = [cell for error in others for cell in (number(error), _change(error, shared))]
        unit = self.runs[TOGETHER].manifest.config.get_property(self.key).unit or "-"
        return self.key, unit, number(shared), *cells, self.best


def _change(error: float | None, shared: float | None) -> str:
    return f"{error / shared - 1:+.1%}" if shared and error is not None else "-"
