"""Addresses of runs: ``s3://bucket/prefix/family/run_...``, or the path of a folder or model file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.errors import RequestError
from phase2.runs.keys import local_run
from phase2.runs.layout import BEST
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.base import Store
from phase2.storage.urls import open_store


def split_address(address: str) -> tuple[str, str]:
    """Split the address of a run into that of its store and ``<family>/<name>``.

    Raises:
        RequestError: It is no address of a run.

    Example:
        >>> split_address("s3://bucket/team/multitask_cgcnn/run_20260101T000000Z_1a2b3c4d")
        ('s3://bucket/team', 'multitask_cgcnn/run_20260101T000000Z_1a2b3c4d')
    """
    url, _, run = address.rstrip("/").removesuffix(f"/{BEST}").rpartition("/")
    url, _, family = url.rpartition("/")
    if not url or url.endswith("/") or not run.startswith("run_"):
        raise RequestError(
            f"{address} is no address of a run.",
            why="An address names the store, the family and the folder of the run.",
            fix="Write s3://bucket/prefix/family/run_..., or give the run and its store apart from each other.",
        )
    return url, f"{family}/{run}"


def model_file_at(address: str) -> Path:
    """Return the model file of an address or path; one that lies in a bucket is brought into the cache, verified.

    Raises:
        RequestError: There is no such run.
        DataError: The file is damaged in the store.
        TransientError: The store does not answer.
    """
    if "://" not in address:
        path = Path(address)
        return path / BEST if path.is_dir() else path
    url, prefix = split_address(address)
    return stored_model_file(open_store(url), prefix)


def stored_model_file(store: Store, prefix: str) -> Path:
    """Return the model file of the run ``<family>/<name>`` of a store; from a bucket it is brought into the cache.

    Raises:
        RequestError: There is no such run.
        DataError: The file is damaged in the store.
        TransientError: The store does not answer.
    """
    here = local_run(store, prefix)
    if here is not None:
        return here.best
    return PublishedRun.open(store, prefix).pull(cache_of(store), only=[BEST]).path / BEST


def cache_of(store: Store) -> Path:
    """Return the folder of this machine that keeps files of the runs of a store."""
    return cache_dir() / "runs" / hashlib.sha256(store.url.encode()).hexdigest()[:12]
