"""Listing many runs: cold (no index, every manifest is read) and warm (by the index), against listing every key.

The runs are copies of one manifest with names of their own, each with as many other files as asked. They lie in a
temporary folder, or in a bucket of a server that runs on this machine for as long.
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
from phase2.machine.environment import code, hardware, place

from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.artifacts import Artifact
from phase2.runs.attempts import begin_attempt, end_attempt
from phase2.runs.catalog.index import list_runs
from phase2.runs.layout import RunDirectory
from phase2.runs.manifest import RunManifest
from phase2.runs.publish.markers import marker_key
from phase2.runs.results import PropertyMetrics, Results
from phase2.runs.run_config import RecordedConfig
from phase2.storage.base import Store
from phase2.storage.urls import open_store
from phase2.testing import s3_servers

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
    """An empty folder as a store, a way to fill it without a sync for every file, and the baseline."""
    root = folder / "store"

    def put(key: str, content: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(content)

    yield open_store(root), put, lambda: [path.stat() for path in root.rglob("*")]


@contextmanager
def bucket(folder: Path, server: str) -> Iterator[tuple[Store, Put, Callable[[], object]]]:
    """The same of a bucket, with boto3 alone."""
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
    """Store copies of a run, with stamps as publishing makes them."""
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
    """A manifest that lists as many empty files."""
    resolved = resolve(RunRequest(algorithm="cgcnn", level="smoke"))
    run = RunDirectory.create(folder, resolved.config.family, run_id="RUN_ID")
    recorded = RecordedConfig.record(run, resolved)
    begin_attempt(run, host="bench")
    keys = resolved.config.properties
    part = tuple(
        PropertyMetrics(key=key, unit="", count=80, mae=0.1, rmse=0.2, r2=0.9, baseline_mae=0.5, ratio=0.2)
        for key in keys
    )
    results = Results(
        run_id="RUN_ID", algorithm="cgcnn", mode="smoke", properties=keys, best_epoch=1, epochs=5, score=0.2,
        train_labels=dict.fromkeys(keys, 640), mean_epoch_seconds=1.0, val=part, test=part,
    )  # fmt: skip
    listed = tuple(Artifact(path=f"file_{i:02d}", bytes=0, sha256="0" * 64) for i in range(files))
    return RunManifest.draft(
        recorded,
        status="finished",
        attempts=end_attempt(run, "finished"),
        code=code(),
        hardware=hardware(),
        place=place(),
        results=results,
    ).model_copy(update={"artifacts": listed})


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
