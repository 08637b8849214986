"""Download of a run by a user without access keys: a pod of the installation has them.

The pod signs an address for each file, and the files are downloaded from there. Where this machine cannot reach the
store, further pods write the files to their logs, a part each, which needs no right that a submitter lacks.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from phase2.cluster.api.client import RunClient
from phase2.cluster.transfer.job import transfer_job
from phase2.cluster.transfer.pods import TextCallback, TransferPods, running
from phase2.cluster.transfer.source import TransferSource
from phase2.errors import RequestError, TransientError
from phase2.runs.artifacts import Artifact
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.download import FetchFile, RunDownload
from phase2.runs.records.manifest import VERSION, RunManifest
from phase2.runs.transfer.frames import from_lines
from phase2.runs.transfer.offer import Offer, unpack_addresses
from phase2.runs.transfer.parts import PART_BYTES, part_count
from phase2.storage.base import ObjectInfo
from phase2.storage.disk.checksums import CHUNK
from phase2.storage.disk.download import StreamFrom, download_verified
from phase2.storage.http import read_from, why_unreachable
from phase2.storage.progress import ProgressCallback
from phase2.storage.records import parse_record

MAX_PARTS = 256
"""Parts that are read from logs at most: 1 GiB in all."""


class ClusterPull:
    """Download of runs through a namespace.

    Args:
        client: Client of the namespace's Jobs.
        source: What the pods have of the installation.
        on_state: Callback receiving messages about the state.
    """

    def __init__(self, client: RunClient, source: TransferSource, on_state: TextCallback) -> None:
        self._client = client
        self._source = source
        self._on_state = on_state

    def pull(
        self, name: str, output: Path, *, only: Sequence[str] = (), progress: ProgressCallback | None = None
    ) -> RunDirectory:
        """Download a run into ``<output>/<family>/<name>``, as :meth:`PublishedRun.pull` does.

        Args:
            name: Run id, folder name, a unique prefix of one, ``latest`` or ``best``.
            output: Folder that holds the families.
            only: Paths of the files to download, without the manifest; all files and the manifest when empty.
            progress: Callback receiving bytes done and bytes in all.

        Raises:
            RequestError: There is no such run or file, the pod is refused, or the run is too large for logs.
            DataError: A file is damaged in the store.
            TransientError: The store or the cluster does not respond; called again, the download resumes.
        """
        offer, addresses = self._offer(name)
        content = offer.manifest.encode()
        manifest = parse_record(content, RunManifest, where=f"The manifest of {offer.prefix}", version=VERSION)
        download = RunDownload(offer.prefix, manifest, content, output, only)
        download.check()
        missing = download.missing()
        by_path = dict(zip((artifact.path for artifact in manifest.artifacts), addresses, strict=False))
        why = _why_not(by_path, missing) if missing else None
        if why is None:
            fetch = _fetcher(lambda artifact: lambda start: read_from(by_path[artifact.path], start))
            return download.execute(fetch, progress=progress)
        self._on_state(f"the files come through the cluster: {why}")
        return self._stream(download, missing, progress)

    def _offer(self, name: str) -> tuple[Offer, list[str]]:
        with self._running(["offer", name]) as pods:
            output = pods.output(0)
        content = from_lines(output.lines)
        return parse_record(content, Offer, where="What the pod offers"), unpack_addresses(output.message) or []

    def _stream(
        self, download: RunDownload, missing: Sequence[Artifact], progress: ProgressCallback | None
    ) -> RunDirectory:
        sizes = [artifact.bytes for artifact in missing]
        parts = part_count(sizes)
        _refuse_large(parts)
        arguments = ["part", download.prefix, *(f"--only={artifact.path}" for artifact in missing)]
        begins = {artifact.path: sum(sizes[:index]) for index, artifact in enumerate(missing)}
        with tempfile.TemporaryFile() as file, self._running(arguments, max(parts, 1)) as pods:
            stream = PartStream(pods, file)

            def open_file(artifact: Artifact) -> StreamFrom:
                begin = begins[artifact.path]
                return lambda start: stream.read(begin + start, begin + artifact.bytes)

            # One file after the other, as their parts arrive.
            return download.execute(_fetcher(open_file), progress=progress, workers=1)

    def _running(self, arguments: Sequence[str], parts: int = 1) -> AbstractContextManager[TransferPods]:
        given = self._source
        store = [] if given.store is None else [f"--store={given.store}"]
        manifest = transfer_job(
            f"phase2-pull-{secrets.token_hex(4)}",
            [*arguments, *store],
            namespace=self._client.namespace,
            image=given.image,
            secret=given.secret,
            parts=parts,
        )
        return running(self._client, given.common.added_to(manifest), on_state=self._on_state)


class PartStream:
    """Files of a run one after the other, out of the logs of pods.

    Args:
        pods: The pods, each of which writes one part.
        file: File that keeps what was read.
    """

    def __init__(self, pods: TransferPods, file: IO[bytes]) -> None:
        self._pods = pods
        self._file = file
        self._parts = 0

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """Yield bytes of the stream, once the pods that write them have ended."""
        while begin < end:
            while self._parts * PART_BYTES <= begin:
                self._file.seek(0, os.SEEK_END)
                self._file.write(from_lines(self._pods.output(self._parts).lines))
                self._parts += 1
            self._file.seek(begin)
            chunk = self._file.read(min(end - begin, CHUNK))
            if not chunk:
                raise TransientError(
                    "A part of the run is incomplete.", why="The run changed meanwhile.", fix="Try again."
                )
            begin += len(chunk)
            yield chunk


def _fetcher(open_file: Callable[[Artifact], StreamFrom]) -> FetchFile:
    """Return a callback that downloads a file, verified by its SHA-256 in the manifest."""

    def fetch(artifact: Artifact, target: Path) -> None:
        info = ObjectInfo(artifact.path, artifact.bytes, artifact.sha256, datetime.now(UTC))
        download_verified(info, target, open_file(artifact), sha256=artifact.sha256)

    return fetch


def _why_not(addresses: Mapping[str, str], missing: Sequence[Artifact]) -> str | None:
    """Return why the files cannot be downloaded from their addresses; None if they can."""
    if not all(artifact.path in addresses for artifact in missing):
        return "the pod could make no addresses of them"
    return why_unreachable(addresses[missing[0].path])


def _refuse_large(parts: int) -> None:
    if parts > MAX_PARTS:
        raise RequestError(
            f"The run is larger than {MAX_PARTS * PART_BYTES >> 20} MiB, which is too much for the logs of pods.",
            why="This machine cannot reach the store, and that is the way around it.",
            fix="Name the files you need with --only, or have the store made reachable.",
        )
