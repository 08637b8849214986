"""Retries with exponential backoff and jitter."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from phase2.errors import TransientError
from phase2.storage.s3.settings import S3Settings

_LOG = logging.getLogger(__name__)
Result = TypeVar("Result")


def with_retries(action: Callable[[], Result], settings: S3Settings) -> Result:
    """Call an action until it does not raise ``TransientError``, at most ``settings.attempts`` times.

    Pauses are drawn between zero and a bound that doubles ("full jitter"), so that clients that failed together do not
    retry together.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    for attempt in range(settings.attempts - 1):
        try:
            return action()
        except TransientError as error:
            pause = random.uniform(0, min(settings.longest_pause, settings.first_pause * 2**attempt))  # noqa: S311
            _LOG.info("%s Trying again in %.1f s.", error, pause)
            time.sleep(pause)
    return action()
