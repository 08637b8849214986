"""Reading a pod's log while it is written: each line once, also when the connection breaks in between."""

from __future__ import annotations

import re
from collections.abc import Iterator

from phase2.cluster.api.client import RunClient

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT")


def stamped(line: str) -> tuple[str, str] | None:
    """Divide a line of a log into its time, as the API server gives it, and its text.

    None for one without a time. It is the kubelet's: "unable to retrieve container logs for ...", where the container
    is gone.
    """
    stamp, _, text = line.partition(" ")
    return (stamp, text) if _STAMP.match(stamp) else None


class LogReader:
    """Reader of one pod's log.

    The server returns a log from a given time on, so lines that were read already come again. They are recognized by
    their timestamps, and by the number of lines read with the last timestamp.

    Args:
        client: Client of the backend that owns the pod.
        pod: Name of the pod.
    """

    def __init__(self, client: RunClient, pod: str) -> None:
        self._client = client
        self._pod = pod
        self._last = ""
        self._lines_at_last = 0

    def lines(self) -> Iterator[str]:
        """Yield the unread lines until the log ends or the connection breaks.

        Raises:
            RequestError: The log may not be read, or its pod was deleted.
            TransientError: The server does not answer.
        """
        until, known = self._last, self._lines_at_last
        for line in self._client.follow_log(self._pod, since=until or None):
            found = stamped(line)
            if found is None:
                continue
            stamp, text = found
            if stamp < until:
                continue
            if stamp == until and known:
                known -= 1
                continue
            self._lines_at_last = self._lines_at_last + 1 if stamp == self._last else 1
            self._last = stamp
            yield text
