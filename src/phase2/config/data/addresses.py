"""Addresses of data sets that are no path of this machine: their content, a name in a store, an object of a bucket."""

from __future__ import annotations

import re

from phase2.config.data.sets import CRYSTALS
from phase2.errors import RequestError

CONTENT = "sha256:"
"""Beginning of an address that names the content of a data set."""
BUCKET = "s3://"
OPTIMADE = "optimade:"
"""Beginning of the address of an OPTIMADE server."""

_SHOWN_DIGITS = 12

_CONTENT = re.compile(f"{CONTENT}[0-9a-f]{{64}}")
_SHORT = re.compile(f"{CONTENT}[0-9a-f]{{6,63}}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def is_content(address: str) -> bool:
    """Return whether an address names the content of a data set: ``sha256:`` and 64 digits."""
    return _CONTENT.fullmatch(address) is not None


def is_short_content(address: str) -> bool:
    """Return whether an address begins as that of a content does, and is cut."""
    return _SHORT.fullmatch(address) is not None


def shown_address(address: str) -> str:
    """Return an address as tables show it: that of a content with the first twelve of its digits."""
    return address[: len(CONTENT) + _SHOWN_DIGITS] if is_content(address) else address


def is_in_bucket(address: str) -> bool:
    """Return whether an address names an object or a folder of a bucket."""
    return address.startswith(BUCKET)


def is_on_server(address: str) -> bool:
    """Return whether an address names the structures of an OPTIMADE server."""
    return address.startswith(OPTIMADE)


def may_be_name(text: str) -> bool:
    """Return whether a text has the form of a name in a store, and is no data set that comes with phase2."""
    return text not in CRYSTALS and _NAME.fullmatch(text) is not None


def check_name(name: str) -> str:
    """Return a name that a data set in a store can have.

    Raises:
        RequestError: It has another form, or is that of a data set that comes with phase2.
    """
    if may_be_name(name):
        return name
    taken = name in CRYSTALS
    raise RequestError(
        f"'{name}' cannot be the name of a data set.",
        why="It is the name of a data set that comes with phase2."
        if taken
        else "A name has 1 to 63 letters, digits, hyphens and underscores, and begins with a letter or digit.",
        fix="Give another name, such as perovskites-2026.",
    )


def check_content(address: str) -> str:
    """Return the 64 digits of an address that names a content.

    Raises:
        RequestError: It has another form.
    """
    if is_content(address):
        return address.removeprefix(CONTENT)
    raise RequestError(
        f"'{address}' is not the address of a data set's content.",
        why="It is 'sha256:' and 64 digits of 0-9 and a-f.",
        fix="'phase2 data list' shows the addresses in the store.",
    )
