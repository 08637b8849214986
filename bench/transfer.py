"""Publishing and pulling, compared with boto3's TransferManager on one server, in turn: ``python -m bench.transfer``.

The store also verifies a SHA-256 end to end, which the baseline does not. Each contestant runs in processes of its
own, which report seconds and peak memory; the server runs on this machine and shares its cores with both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import boto3

from phase2.storage.urls import open_store
from phase2.testing.stores import s3_servers

BUCKET = "bench"
BASELINE, STORE = "boto3 TransferManager", "S3Store"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=("seaweedfs", "minio"), default="seaweedfs")
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", nargs=4, metavar=("WHO", "WAY", "KEY", "FILE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        print(json.dumps(_worker(*chosen.worker)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "file", chosen.megabytes)
        with getattr(s3_servers, chosen.server)(folder / "server") as server:
            os.environ.update(server.environment)
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            _compare(folder, chosen)


def _compare(folder: Path, chosen: argparse.Namespace) -> None:
    print(f"{chosen.server}, {chosen.megabytes} MB")
    seconds: dict[tuple[str, str], list[float]] = {}
    memory: dict[tuple[str, str], float] = {}
    for k in range(chosen.rounds + 1):
        for who in (BASELINE, STORE) if k % 2 else (STORE, BASELINE):
            key = uuid.uuid4().hex
            for way, file in (("publish", "file"), ("pull", "copy")):
                took, peak = _run(who, way, key, folder / file)
                memory[way, who] = max(peak, memory.get((way, who), 0))
                if k or not chosen.rounds:
                    seconds.setdefault((way, who), []).append(took)
            open_store(f"s3://{BUCKET}").delete(key)
    for way in ("publish", "pull"):
        median = {who: statistics.median(seconds[way, who]) for who in (BASELINE, STORE)}
        for who, took in median.items():
            ratio = median[BASELINE] / took
            rate = chosen.megabytes / took
            print(f"{way:<8} {who:<24} {rate:>7.0f} MB/s   {ratio:>5.2f} x   peak {memory[way, who]:>5.0f} MB")


def _run(who: str, way: str, key: str, file: Path) -> tuple[float, float]:
    os.sync()  # or a pull that brings its file to the disk waits for what the server wrote before
    command = [sys.executable, "-m", "bench.transfer", "--worker", who, way, key, str(file)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return answer["seconds"], answer["megabytes"]


def _worker(who: str, way: str, key: str, name: str) -> dict[str, float]:
    file = Path(name)
    # A published run knows its digests from the manifest.
    digest = file.with_name("file.sha256").read_text()
    file.unlink() if way == "pull" and file.exists() else None
    if who == STORE:
        store = open_store(f"s3://{BUCKET}")
        store.head("warm")
        start = time.perf_counter()
        store.put(key, file, sha256=digest) if way == "publish" else store.get(key, file, sha256=digest)
    else:
        client = boto3.client("s3")
        client.list_objects_v2(Bucket=BUCKET, Prefix="warm")
        start = time.perf_counter()
        client.upload_file(name, BUCKET, key) if way == "publish" else client.download_file(BUCKET, key, name)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _write(path: Path, megabytes: int) -> None:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(megabytes):
            block = os.urandom(1 << 20)
            digest.update(block)
            file.write(block)
    path.with_name("file.sha256").write_text(digest.hexdigest())


if __name__ == "__main__":
    main()
