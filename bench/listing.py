"""Time to list many runs: cold (no index, every manifest is read) and warm (with the index), against listing all keys.

The runs are copies of one manifest under different names, each with the requested number of files. They are stored in
a temporary folder, or in a bucket of a server that is started on this machine.
"""

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.markers import marker_key
from phase2.runs.records.manifest import RunManifest, read_manifest
from phase2.storage.base import Store
from phase2.storage.urls import open_store
from phase2.testing.finished_run import finished_run
from phase2.testing.stores import s3_servers

BUCKET = "bench"
Put = Callable[[str, bytes], object]


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=14, help="files of a run beside its manifest")
    parser.add_argument("--server", choices=("seaweedfs", "minio"), help="a bucket instead of a folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = manifest(folder / "template", files=chosen.files)
        with bucket(folder, chosen.server) if chosen.server else plain_folder(folder) as (store, put, every_key):
            filling = _seconds(lambda: fill(put, template, chosen.runs))
            baseline = _seconds(every_key)
            cold = _seconds(lambda: list_runs(store))
            warm = min(_seconds(lambda: list_runs(store)) for _ in range(3))
            assert len(list_runs(store)) == chosen.runs
    print(f"{chosen.runs} runs with {chosen.files} files each, {chosen.server or 'folder'}, filled in {filling:.0f} s")
    for what, seconds in {"every key": baseline, "cold list": cold, "warm list": warm}.items():
        print(f"{what:<12} {seconds:>8.2f} s   {baseline / seconds:>6.2f} x")


@contextmanager
def plain_folder(folder: Path) -> Iterator[tuple[Store, Put, Callable[[], object]]]:
    """Yield an empty folder as a store, a function that fills it without syncing, and the baseline."""
    root = folder / "store"

    def put(key: str, content: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(content)

    yield open_store(root), put, lambda: [path.stat() for path in root.rglob("*")]


@contextmanager
def bucket(folder: Path, server: str) -> Iterator[tuple[Store, Put, Callable[[], object]]]:
    """Yield the same for a bucket, with plain boto3."""
    with getattr(s3_servers, server)(folder / server) as running:
        os.environ.update(running.environment)
        client: Any = boto3.client("s3", config=Config(max_pool_connections=32))
        client.create_bucket(Bucket=BUCKET)

        def every_key() -> int:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
            return sum(len(page.get("Contents", [])) for page in pages)

        yield (
            open_store(f"s3://{BUCKET}"),
            lambda key, content: client.put_object(Bucket=BUCKET, Key=key, Body=content),
            every_key,
        )


def fill(put: Put, template: RunManifest, runs: int) -> None:
    """Store copies of a run, with the markers of published runs."""
    content = template.model_dump_json(indent=2)

    def write(i: int) -> None:
        prefix = f"{template.family}/run_20261124T{i // 3600:02d}{i // 60 % 60:02d}{i % 60:02d}Z_{i:08x}"
        own = content.replace("RUN_ID", f"{i:08x}").encode()
        for artifact in template.artifacts:
            put(f"{prefix}/{artifact.path}", b"")
        put(f"{prefix}/run_manifest.json", own)
        put(marker_key(prefix, hashlib.sha256(own).hexdigest()), b"")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(runs)))


def manifest(folder: Path, *, files: int) -> RunManifest:
    """Return a manifest that lists this many files, with the two that every run has."""
    names = [f"file_{i:02d}" for i in range(files - 2)]
    return read_manifest(finished_run(folder, dict.fromkeys(names, b""), run_id="RUN_ID").manifest)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
