"""How a command that was interrupted is continued: one that trains several runs has no ``--resume`` of one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from phase2.config.settings import run_id_of_process
from phase2.errors import PreemptedError

_AGAIN: ContextVar[str | None] = ContextVar("again", default=None)


@contextmanager
def continued_by(fix: str) -> Iterator[None]:
    """Say in the error of a stop inside this block how to go on; the training knows only how its own run does.

    Raises:
        PreemptedError: A stop was requested.
    """
    before = _AGAIN.set(fix)
    try:
        yield
    except PreemptedError as error:
        raise PreemptedError(error.what, why=error.why, fix=fix) from error
    finally:
        _AGAIN.reset(before)


def way_to_continue() -> str | None:
    """Return what continues the command of this block; None outside of one, where ``--resume`` continues the run."""
    return _AGAIN.get()


@contextmanager
def continued_as_started() -> Iterator[None]:
    """Say in the error of a stop what continues a run that something else named, such as a sweep or a Job.

    Raises:
        PreemptedError: A stop was requested.
    """
    if (run_id := run_id_of_process()) is None:
        yield
        return
    with continued_by(f"Start '{run_id}' again as it was started: it goes on from its checkpoint if it has one."):
        yield
