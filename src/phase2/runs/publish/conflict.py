"""The conflict of publishing a run under a name that another run has."""

from __future__ import annotations

import hashlib

from phase2.errors import ModelFileError, RequestError
from phase2.runs.records.manifest import VERSION, RunManifest
from phase2.storage.records import parse_record


class OtherPublishedError(RequestError):
    """A run with another manifest is published under the name.

    Attributes:
        prefix: Prefix of its keys in the store.
        manifest: Its manifest; None where it cannot be read.
        same_run: Whether it is the same run, finished and published by another process: equal id, settings, data and
            outcome. The run is then published, though not from here.
    """

    prefix: str = ""
    manifest: RunManifest | None = None
    same_run: bool = False

    @classmethod
    def compare(cls, url: str, prefix: str, *, found: bytes, own: bytes) -> OtherPublishedError:
        """Make the error that compares the published manifest with the one to publish."""
        theirs = _parsed(found)
        if _identity(theirs) is not None and _identity(theirs) == _identity(_parsed(own)):
            error = cls(
                f"The run '{prefix}' was published in {url} by another process.",
                why=f"It is the same run, finished {_finished(theirs)}; only one of the two can be kept.",
                fix="Use the published one: 'phase2 pull' brings it here.",
            )
            error.same_run = True
        else:
            error = cls(
                f"Another run is published as '{prefix}' in {url}.",
                why=f"It was finished {_finished(theirs)}. Its manifest has SHA-256 {_short(found)}, "
                f"the one to publish {_short(own)}.",
                fix="Keep the one that is there, or remove it first with 'phase2 runs delete'.",
            )
        error.prefix, error.manifest = prefix, theirs
        return error


def _parsed(content: bytes) -> RunManifest | None:
    try:
        return parse_record(content, RunManifest, where="the manifest", version=VERSION)
    except ModelFileError:
        return None


def _identity(manifest: RunManifest | None) -> tuple[str, ...] | None:
    if manifest is None or manifest.data is None:
        return None
    return manifest.run_id, manifest.status, manifest.config_digest, manifest.data.fingerprint


def _finished(manifest: RunManifest | None) -> str:
    if manifest is None or not manifest.attempts:
        return "at an unknown time"
    last = manifest.attempts[-1]
    when = f"at {last.end:%Y-%m-%d %H:%M} UTC" if last.end else "at an unknown time"
    return f"{when} on {manifest.place.pod or last.host or manifest.place.host}"


def _short(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()[:12]
