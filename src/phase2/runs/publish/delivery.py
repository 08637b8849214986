"""Delivering a finished run to the store: published with retries until the store responds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from phase2.config.settings import store_patience
from phase2.errors import TransientError
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.conflict import OtherPublishedError
from phase2.runs.publish.publish import publish_run
from phase2.runs.remote.state import RemoteRun
from phase2.storage.base import Store

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 20.0


def deliver(
    store: Store,
    run: RunDirectory,
    *,
    undisturbed: Callable[[], AbstractContextManager[None]] = nullcontext,
    notify: Callable[[str], None],
) -> str:
    """Publish a finished run, and delete from the store what only an unfinished one needs.

    Args:
        store: The destination.
        run: The run.
        undisturbed: Makes a context for each attempt that defers a request to stop until its end; pauses are outside.
        notify: Callback receiving a line about each step.

    Returns:
        Address of the published run.

    Raises:
        OtherPublishedError: Another run is published under the same name.
        RequestError: The store cannot be used.
        DataError: A file of the run is not what its manifest lists.
        TransientError: The store did not respond in time; the run is complete in its directory.
    """
    deadline, pause = time.monotonic() + store_patience(), _FIRST_PAUSE
    while True:
        try:
            with undisturbed():
                publication = publish_run(store, run)
            already, url = publication.already, publication.url
            break
        except OtherPublishedError as error:
            if not error.same_run:
                raise
            notify(str(error))
            already, url = True, f"{store.url.rstrip('/')}/{error.prefix}"
            break
        except TransientError as error:
            if time.monotonic() + pause > deadline:
                raise
            notify(f"not published yet: {error} Trying again in {pause:.0f} s.")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    with undisturbed():
        RemoteRun(store, f"{run.family}/{run.name}").finish()
    notify(f"{'already published' if already else 'published'}: {url}")
    return url
