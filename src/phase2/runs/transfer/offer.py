"""What a pod offers of a run: the manifest, and an address of each file that needs no access keys."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Literal

from phase2.errors import TransientError
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.records import Record

# What Kubernetes keeps of a termination message.
_MESSAGE_BYTES = 4096
_MARK = "addresses:"


class Offer(Record):
    """A run in the store of the cluster.

    Attributes:
        schema_version: Version of this form.
        prefix: Prefix of the run's keys: ``<family>/<name>``.
        manifest: Its manifest as stored.
    """

    schema_version: Literal[1] = 1
    prefix: str
    manifest: str

    @classmethod
    def of(cls, run: PublishedRun) -> Offer:
        """Return the offer of a published run."""
        return cls(prefix=run.prefix, manifest=run.content.decode())


def pack_addresses(addresses: Sequence[str]) -> str | None:
    """Return addresses as a termination message of a pod; None if they are too long for one.

    An address lets whoever has it download a file. It is in no log, since logs are often collected and kept: only who
    may read the pods of the namespace finds it, for the short time that the pod exists.
    """
    packed = _MARK + base64.b85encode(zlib.compress(json.dumps(list(addresses)).encode(), 9)).decode()
    return packed if len(packed) <= _MESSAGE_BYTES else None


def unpack_addresses(message: str) -> list[str] | None:
    """Return the addresses of a termination message; None if it has none.

    Raises:
        TransientError: The message is damaged.
    """
    if not message.startswith(_MARK):
        return None
    try:
        found = json.loads(zlib.decompress(base64.b85decode(message.removeprefix(_MARK).strip())))
    except (ValueError, zlib.error) as error:
        raise TransientError("The pod's message is damaged.", fix="Try again.") from error
    return [str(address) for address in found]
