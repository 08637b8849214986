"""The cache of baselines: one small file per data set and way of fitting, in the user's cache folder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from phase2.errors import ModelFileError
from phase2.runs.records.baselines import PropertyBaseline
from phase2.storage.records import Record, parse_record, write_record

_LOG = logging.getLogger(__name__)


class CachedBaselines(Record):
    """A file of the cache.

    Attributes:
        schema_version: Format of the file.
        key: SHA-256 of everything that the baselines depend on.
        baselines: The baselines.
        digest: SHA-256 of ``key`` and ``baselines``.
    """

    schema_version: int = 1
    key: str
    baselines: tuple[PropertyBaseline, ...]
    digest: str


def cached_baselines(
    folder: Path,
    key: str,
    compute: Callable[[], tuple[PropertyBaseline, ...]],
    *,
    notify: Callable[[str], None],
) -> tuple[PropertyBaseline, ...]:
    """Return the baselines of a key from the cache, or compute and cache them.

    A file that is damaged is computed again and replaced. Of several processes that compute the same baselines, the
    last one's file stays; each is whole.

    Args:
        folder: Folder of the cache; created where missing.
        key: SHA-256 of everything that the baselines depend on.
        compute: Computes the baselines.
        notify: Callback receiving why the baselines could not be cached; they are returned all the same.
    """
    path = folder / f"{key[:32]}.json"
    if (found := _read(path, key)) is not None:
        return found
    baselines = compute()
    try:
        write_record(path, CachedBaselines(key=key, baselines=baselines, digest=_digest(key, baselines)))
    except OSError as error:
        notify(f"the baselines are not cached: {error.strerror or error}: {path}")
    return baselines


def _read(path: Path, key: str) -> tuple[PropertyBaseline, ...] | None:
    try:
        found = parse_record(path.read_bytes(), CachedBaselines, where=str(path))
    except FileNotFoundError:
        return None
    except (OSError, ModelFileError) as error:
        _LOG.warning("The cached baselines cannot be read: %s They are computed again.", error)
        return None
    if found.key != key or found.digest != _digest(key, found.baselines):
        _LOG.warning("The cached baselines in %s are damaged. They are computed again.", path)
        return None
    return found.baselines


def _digest(key: str, baselines: tuple[PropertyBaseline, ...]) -> str:
    content = "\n".join([key, *(baseline.model_dump_json() for baseline in baselines)])
    return hashlib.sha256(content.encode()).hexdigest()
