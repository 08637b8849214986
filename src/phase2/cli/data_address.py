"""What ``--data`` takes, and how the name of a data set in a store becomes the content that it points to."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from phase2.config.data.addresses import is_short_content, may_be_name
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.request.run_request import RunRequest

DATA_HELP = (
    "sample, jarvis-dft3d, a file of structures, a folder of them with a CSV, optimade:URL, s3://bucket/path, or a "
    "data set in the store: its name or sha256:..."
)

Request = TypeVar("Request", RunRequest, SweepRequest)


def pinned_request(request: Request, store: str | None) -> Request:
    """Return a request whose data set, if it is a name in the store, is the content that the name points to now.

    What a run records is then what it trains on, whatever the name points to later.

    Args:
        request: A request.
        store: Store that the command was given; that of the environment by default.

    Raises:
        UnknownNameError: The store has no such name.
        RequestError: No data set in the store begins with these digits, or several do.
        TransientError: The store does not respond.
    """
    if request.data is None or not (may_be_name(request.data) or is_short_content(request.data)):
        return request
    from phase2.data.stored.opening import pinned_address

    return replace(request, data=pinned_address(request.data, url=store))
