"""Reading the log of a pod as it is printed, each line once, over whatever breaks in between."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.cluster.api.client import RunClient


class LogReader:
    """Reads the log of one pod.

    The server gives a log from a time on, so what was read already comes again: it is told by the time in front of each
    line, and by how many lines of the last time were read.

    Args:
        client: The cluster.
        pod: Name of the pod.
    """

    def __init__(self, client: RunClient, pod: str) -> None:
        self._client = client
        self._pod = pod
        self._last = ""
        self._lines_at_last = 0

    def lines(self) -> Iterator[str]:
        """Yield the lines that were not read yet, until the log ends or the connection breaks.

        Raises:
            RequestError: The log may not be read, or is gone with its pod.
            TransientError: The server does not answer.
        """
        until, known = self._last, self._lines_at_last
        for line in self._client.follow_log(self._pod, since=until or None):
            stamp, _, text = line.partition(" ")
            if stamp < until:
                continue
            if stamp == until and known:
                known -= 1
                continue
            self._lines_at_last = self._lines_at_last + 1 if stamp == self._last else 1
            self._last = stamp
            yield text
