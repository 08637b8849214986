"""What can go wrong, and the process exit code each case ends with.

Every message has three parts: what happened, why, and what to do about it. The command line prints them and exits with
``exit_code``; orchestrators read the code alone (2, 3 and 4 are never worth a retry, 75 and 143 are).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class Phase2Error(Exception):
    """Base of every error that phase2 raises on purpose.

    Args:
        what: What happened, naming the thing and its value.
        why: The reason or the rule that was broken.
        fix: What the user can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what, why, fix)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.fix) if part)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.why, self.fix)


class RequestError(Phase2Error, ValueError):
    """A command, option, environment variable or configuration that cannot be carried out."""

    exit_code = 2


class UnknownNameError(RequestError):
    """A name that is not in a closed list; the nearest valid one is offered."""

    @classmethod
    def of(cls, kind: str, name: str, valid: Iterable[str]) -> UnknownNameError:
        """Say that ``name`` is no ``kind`` and which of the ``valid`` names is nearest."""
        names = list(valid)
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        fix = f"Did you mean '{nearest[0]}'?" if nearest else f"Use one of: {', '.join(names)}."
        why = f"The {kind} is one of {', '.join(names)}." if nearest else f"There is no such {kind}."
        return cls(f"Unknown {kind} '{name}'.", why=why, fix=fix)


class MissingExtraError(Phase2Error, ImportError):
    """An optional package that is needed and not installed; the fix names the extra."""

    exit_code = 2


class DataError(Phase2Error, ValueError):
    """Data that cannot be read, are damaged, or leave nothing to train on."""

    exit_code = 3


class InvalidCrystalError(DataError):
    """A structure that is no valid ordered crystal (disordered, overlapping atoms, zero volume, ...)."""

    @classmethod
    def of(cls, crystal: str, why: str, fix: str = "Correct or remove this structure.") -> InvalidCrystalError:
        """Say why the crystal of this name is none."""
        return cls(f"Crystal '{crystal}' is invalid:", why=why, fix=fix)


class ModelFileError(Phase2Error, ValueError):
    """A checkpoint or model file that is missing, damaged, unsafe, or made for something else."""

    exit_code = 4


class TransientError(Phase2Error, OSError):
    """A failure that may pass by itself: a network or a service that does not answer."""

    exit_code = 75


class CallbackError(Phase2Error, RuntimeError):
    """A user's callback raised; the training was ended and its state saved."""


class PreemptedError(Phase2Error):
    """The run was asked to stop (SIGTERM, Ctrl-C); its checkpoint is on disk."""

    exit_code = 143


def _rebuild(cls: type[Phase2Error], what: str, why: str, fix: str) -> Phase2Error:
    return cls(what, why=why, fix=fix)
