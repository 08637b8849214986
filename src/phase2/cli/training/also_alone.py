"""``phase2 train --also-alone``: several properties in one run, and each in a run of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from phase2.cli.console import echo, print_table
from phase2.cli.training.group import RunGroup, checked, name_of_group
from phase2.config.multirun.alone import alone, together
from phase2.config.multirun.member import Member
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import resolve

if TYPE_CHECKING:
    from phase2.config.request.run_request import RunRequest
    from phase2.runs.records.manifest import RunManifest
    from phase2.training.run.experiment import FinishedRun


@dataclass(frozen=True, slots=True)
class AlsoAlone(RunGroup):
    """A run of several properties, and one of each of them, to predict each property by the better one.

    Attributes:
        first: The run of all.
    """

    first: Member
    kind: ClassVar[str] = "comparison"

    @classmethod
    def named(cls, request: RunRequest, name: str | None, resumption: ResumeRequest) -> AlsoAlone:
        """Name the runs.

        Args:
            request: The run of all properties.
            name: Name of the runs to continue.
            resumption: Whether some are continued.

        Raises:
            RequestError: The request is of one property or of a part of the crystals, or the name is invalid.
        """
        chosen = name_of_group(cls.kind, name, resume=resumption.wanted)
        found = cls(chosen, resumption, together(request, chosen))
        checked(found.planned())
        return found

    def planned(self) -> Sequence[Member]:
        """Return the run of all and one of each property; those without labels are left out later."""
        request = self.first.request
        return self.first, *alone(request, self.name, resolve(request).config.properties)

    def members(self, finished: Sequence[FinishedRun]) -> Iterator[Member]:
        """Return the run of all, and then one of each property that it was trained for."""
        yield self.first
        yield from alone(self.first.request, self.name, finished[0].manifest.properties)

    def described(self, member: Member) -> str:
        """Name the properties."""
        return ", ".join(resolve(member.request).config.properties)

    def conclude(self, finished: Sequence[FinishedRun]) -> None:
        """Print which run is better for each property, and the command that predicts by it."""
        from phase2.runs.report.markdown import number

        shared, *others = finished
        errors, rows, better = _val_errors(shared.manifest), [], []
        for run in others:
            (key,) = run.manifest.properties
            here, there = errors.get(key), _val_errors(run.manifest).get(key)
            is_better = here is not None and there is not None and there < here
            better += [run] if is_better else []
            change = f"{there / here - 1:+.1%}" if here and there is not None else "-"
            unit = run.manifest.config.get_property(key).unit or "-"
            rows.append((key, unit, number(here), number(there), change, "alone" if is_better else "together"))
        is_mixed = any(one.is_binary for one in shared.manifest.val)
        title = f"validation error{', log loss of binary ones' if is_mixed else ''}"
        columns = ("together", "alone", "change")
        print_table(title, ("property", "unit", *columns, "better"), rows, numeric=columns)
        needed = better if len(better) == len(others) else [shared, *better]
        words = [word for run in needed for word in ("--model", str(run.directory.path))]
        combined = ["--combine", "best"] if len(needed) > 1 else []
        command = shlex.join(["phase2", "predict", *words, *combined, "--cif", "FILE"])
        echo(f"predict each property by the better run: {command}")


def _val_errors(manifest: RunManifest) -> dict[str, float]:
    """Return the validation errors of the properties that have one."""
    return {one.key: one.error for one in manifest.val if one.error is not None}
