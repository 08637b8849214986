"""Addresses of services that receive messages, which are secrets: none is ever shown."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import urlsplit

from phase2.config.extras import missing_extra
from phase2.errors import RequestError
from phase2.notification.message import Message

PATIENCE = 20.0
"""Seconds that all services together may take."""
_CODE = "import sys; sys.path[:] = {path!r}; from phase2.notification.child import serve; serve()"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses in the form of Apprise: ``slack://...``, ``mailto://...``, ``json://host/path``.

    Attributes:
        urls: The addresses.
    """

    urls: tuple[str, ...] = field(repr=False)

    def check(self) -> None:
        """Check that messages can be sent to them, without sending one.

        Raises:
            MissingExtraError: Apprise is not installed.
            RequestError: An address is not understood.
        """
        if self.urls and find_spec("apprise") is None and (error := missing_extra(ModuleNotFoundError(name="apprise"))):
            raise error
        bad = self._ask({}) if self.urls else []
        if bad is None:
            return  # a machine that busy sends no message either, and says so at the end
        for number in bad:
            raise RequestError(
                f"Address {number + 1} of {len(self.urls)} for messages is not understood.",
                why=f"It starts with {_scheme(self.urls[number])}, and is not shown further, since it may have a key.",
                fix="Write it as Apprise has it, such as json://host/path, slack://... or mailtos://... .",
            )

    def send(self, message: Message) -> str:
        """Send a message to all of them, in bounded time.

        Returns:
            What did not work, without an address; "" where all was sent.
        """
        if not self.urls:
            return ""
        bad = self._ask({"title": message.title, "body": message.body, "failure": message.is_failure})
        if bad is None:
            return f"no message was sent within {PATIENCE:g} s"
        failed = ", ".join(_scheme(self.urls[number]) for number in bad)
        return f"no message was sent to {len(bad)} of {len(self.urls)} addresses: {failed}" if bad else ""

    def _ask(self, order: Mapping[str, object]) -> list[int] | None:
        """Have a process do something; None where it does not answer in time. Addresses are in no command line."""
        text = json.dumps({"urls": self.urls, **order})
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, our code
                [sys.executable, "-c", _CODE.format(path=sys.path)],
                input=text, capture_output=True, text=True, timeout=PATIENCE, process_group=0, check=True,
            )  # fmt: skip
            found: list[int] = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):
            return None
        return found


def parse_addresses(urls: Sequence[str]) -> Addresses:
    """Return addresses, each of which may be a list that spaces or ends of lines separate."""
    return Addresses(tuple(dict.fromkeys(word for text in urls for word in text.split())))


def _scheme(url: str) -> str:
    """Return what an address may show of itself."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    return f"{scheme}://" if scheme and len(scheme) < 20 else "something else than a scheme"
