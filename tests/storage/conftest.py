"""Real servers for the tests of stores, each started once."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import boto3
import pytest

from phase2.storage.s3 import S3Store
from phase2.storage.s3_settings import S3Settings
from phase2.testing import s3_servers
from phase2.testing.s3_servers import S3Server


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from _started(s3_servers.seaweedfs, tmp_path_factory.mktemp("seaweedfs"))


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from _started(s3_servers.minio, tmp_path_factory.mktemp("minio"))


@pytest.fixture
def new_store(monkeypatch: pytest.MonkeyPatch) -> Callable[[S3Server], S3Store]:
    """Makes an empty store on a server, in a bucket of its own."""

    def make(server: S3Server, prefix: str = "some/prefix") -> S3Store:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        bucket = f"test-{uuid.uuid4().hex[:12]}"
        boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
        return S3Store(bucket, prefix, S3Settings.from_environment())

    return make


def _started(run: Callable[[Path], AbstractContextManager[S3Server]], folder: Path) -> Iterator[S3Server]:
    try:
        with run(folder) as server:
            yield server
    except s3_servers.ServerUnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
