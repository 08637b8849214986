"""Errors of phase2, and the exit code of each.

Every message has three parts: what happened, why, and how to fix it. The command line prints them and exits with
``exit_code``; orchestrators read only the code (retries make sense for 75 and 143, not for 2, 3 and 4).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import ClassVar

from phase2.output.secrets import without_secrets


class Phase2Error(Exception):
    """Base class of all errors that phase2 raises deliberately.

    Args:
        what: What happened, with the name of the object and its value.
        why: The reason, or the violated rule.
        fix: What the user can do.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        # Here, since messages end up in logs, manifests and pages: an address may have its signature in it.
        self.what, self.why, self.fix = map(without_secrets, (what, why, fix))
        super().__init__(self.what, self.why, self.fix)

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.fix) if part)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.why, self.fix)


class RequestError(Phase2Error, ValueError):
    """Invalid command, option, environment variable or configuration."""

    exit_code = 2


class UnknownNameError(RequestError):
    """Name that is not in a closed list; the message suggests the nearest valid one."""

    @classmethod
    def of(cls, kind: str, name: str, valid: Iterable[str]) -> UnknownNameError:
        """Build the error for a ``name`` that is no ``kind``, with the nearest of the ``valid`` names."""
        names = list(valid)
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        fix = f"Did you mean '{nearest[0]}'?" if nearest else f"Use one of: {', '.join(names)}."
        why = f"The {kind} is one of {', '.join(names)}." if nearest else f"There is no such {kind}."
        return cls(f"Unknown {kind} '{name}'.", why=why, fix=fix)


class MissingExtraError(Phase2Error, ImportError):
    """An optional package that is needed and not installed; the fix names the extra."""

    exit_code = 2


class DataError(Phase2Error, ValueError):
    """Data that cannot be read, are damaged, or are insufficient for training."""

    exit_code = 3


class InvalidCrystalError(DataError):
    """Structure that is no valid ordered crystal: disordered, overlapping atoms, zero volume and so on."""

    @classmethod
    def of(cls, crystal: str, why: str, fix: str = "Correct or remove this structure.") -> InvalidCrystalError:
        """Build the error for the crystal with this name."""
        return cls(f"Crystal '{crystal}' is invalid:", why=why, fix=fix)


class LimitExceededError(InvalidCrystalError):
    """File or record beyond a limit of what is read; the fix names the setting that raises it."""


class ModelFileError(Phase2Error, ValueError):
    """Checkpoint or model file that is missing, damaged, unsafe, or incompatible."""

    exit_code = 4


class TransientError(Phase2Error, OSError):
    """Transient failure, worth a retry: a network or a service that does not respond."""

    exit_code = 75


class CallbackError(Phase2Error, RuntimeError):
    """A user's callback raised; the training was ended and its state saved."""


class PreemptedError(Phase2Error):
    """Interruption of a run by SIGTERM or Ctrl-C; its checkpoint is on disk."""

    exit_code = 143


def error_to_json(error: Phase2Error) -> str:
    """Write an error for another process, as a line of JSON; that of a class elsewhere as the class it derives from."""
    kind = next(one.__name__ for one in type(error).__mro__ if one.__module__ == __name__)
    return json.dumps({"kind": kind, "what": error.what, "why": error.why, "fix": error.fix})


def error_from_json(text: str | bytes) -> Phase2Error:
    """Read what :func:`error_to_json` wrote.

    Raises:
        ValueError: It is something else.
    """
    held = json.loads(text)
    if not isinstance(held, dict) or not all(
        isinstance(held.get(name), str) for name in ("kind", "what", "why", "fix")
    ):
        raise ValueError("no error of phase2")
    kind = globals().get(held["kind"])
    if not (isinstance(kind, type) and issubclass(kind, Phase2Error)):
        kind = Phase2Error
    return kind(held["what"], why=held["why"], fix=held["fix"])


def _rebuild(cls: type[Phase2Error], what: str, why: str, fix: str) -> Phase2Error:
    return cls(what, why=why, fix=fix)
