"""Messages at the end of a command: their options, and sending them whatever the end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note
from phase2.config.settings import NOTIFY_ON_VARIABLE, NOTIFY_VARIABLE, is_in_pod, run_id_of_process, run_to_resume
from phase2.errors import Phase2Error, PreemptedError, UnknownNameError

if TYPE_CHECKING:
    from phase2.cluster.status.outcome import WorkflowOutcome
    from phase2.notification.addresses import Addresses
    from phase2.notification.message import Message
    from phase2.storage.base import Store

OCCASIONS = ("success", "failure", "both")

NotifyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="URL",
        help=f"Send a message at the end: json://host/path, slack://..., mailtos://...; may be repeated. Better in "
        f"${NOTIFY_VARIABLE}, which no list of processes shows.",
    ),
]
NotifyOnOption = Annotated[
    str | None, typer.Option("--notify-on", help=f"success, failure or both (default: ${NOTIFY_ON_VARIABLE}, or both).")
]


@dataclass
class Ending:
    """What is known of the end of a command, for its message.

    Attributes:
        what: What ends: ``run 4f1c2a``.
        where: Where it lies; "" while there is nothing.
        message: Makes the message of its success; None while it has not succeeded.
    """

    what: str
    where: str = ""
    message: Callable[[], Message] | None = None


@dataclass(frozen=True, slots=True)
class Notices:
    """To whom a message goes, and when.

    Attributes:
        addresses: The addresses.
        occasion: ``success``, ``failure`` or ``both``.
    """

    addresses: Addresses | None
    occasion: str

    @contextmanager
    def at_end(self, what: str) -> Iterator[Ending]:
        """Send a message at the end of a block: that of its success, or one of the error that it raises.

        A stop is neither: whoever asked for it knows, and the run will be resumed. Processes that are started in the
        block send no message of their own.

        Args:
            what: What ends, until the block says better.
        """
        ending = Ending(what)
        if self.addresses is None:
            yield ending
            return
        from phase2.notification.message import failure

        inherited = os.environ.pop(NOTIFY_VARIABLE, None)
        try:
            yield ending
        except (PreemptedError, typer.Exit):
            raise
        except Exception as error:
            self._send(failure(ending.what, error if isinstance(error, Phase2Error) else None, ending.where))
            raise
        else:
            if ending.message is not None:
                self.tell(ending.message)
        finally:
            if inherited is not None:
                os.environ[NOTIFY_VARIABLE] = inherited

    def tell(self, make: Callable[[], Message]) -> None:
        """Make and send a message, which may need a store that does not answer."""
        if self.addresses is None:
            return
        try:
            message = make()
        except (Phase2Error, OSError) as error:
            note(f"warning: no message was sent: {error}")
        else:
            self._send(message)

    def _send(self, message: Message) -> None:
        wanted = "failure" if message.is_failure else "success"
        if self.addresses is not None and self.occasion in ("both", wanted):
            problem = self.addresses.send(message)
            if problem:
                note(f"warning: {problem}")


def notices(given: list[str] | None, occasion: str | None) -> Notices:
    """Return to whom messages go.

    Args:
        given: Addresses of the command line.
        occasion: ``success``, ``failure`` or ``both``; None is that of the environment.

    Raises:
        RequestError: An address or the occasion is not understood.
        MissingExtraError: Apprise is not installed.
    """
    when = occasion or os.environ.get(NOTIFY_ON_VARIABLE) or "both"
    if when not in OCCASIONS:
        raise UnknownNameError.of("occasion", when, OCCASIONS)
    urls = given or [os.environ.get(NOTIFY_VARIABLE, "")]
    if not any(url.strip() for url in urls):
        return Notices(None, when)
    from phase2.notification.addresses import parse_addresses

    addresses = parse_addresses(urls)
    try:
        addresses.check()
    except Phase2Error as error:
        if given or not is_in_pod():
            raise
        # In a pod they are the installation's: whoever submits a run cannot correct them.
        note(f"warning: no message will be sent: {error}")
        return Notices(None, when)
    return Notices(addresses, when)


def workflow_message(outcome: WorkflowOutcome, store: Store) -> Message:
    """Return the message of a workflow that has ended: its runs, the best first, or its failed steps."""
    from phase2.notification.message import workflow_ended
    from phase2.runs.catalog.best import best_first
    from phase2.runs.catalog.index import list_runs

    names = {outcome.workflow, run_id_of_process() or "", (run_to_resume() or "").rpartition("/")[2]} - {""}
    own = re.compile(rf"({'|'.join(map(re.escape, names))})(-\d+)?")
    runs = best_first(run for run in list_runs(store) if own.fullmatch(run.run_id))
    places = [f"{store.url.rstrip('/')}/{run.prefix}" for run in runs]
    return workflow_ended(outcome.workflow, outcome.status, outcome.lines()[1:], runs, places)
