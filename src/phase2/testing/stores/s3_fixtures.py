"""pytest fixtures: real S3 servers and empty stores on them; a ``conftest.py`` imports the ones it needs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Protocol

import boto3
import pytest

from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store
from phase2.testing.stores import s3_servers
from phase2.testing.stores.s3_servers import S3Server

BUCKET = "phase2-tests"


class NewStore(Protocol):
    """Type of the fixture ``new_store``."""

    def __call__(self, server: S3Server, settings: S3Settings | None = None) -> S3Store:
        """Make an empty store."""
        ...


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Run SeaweedFS; skip the test where it is not available, except in continuous integration."""
    yield from _started(s3_servers.seaweedfs, tmp_path_factory.mktemp("seaweedfs"))


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Run MinIO; skip the test where it is not available, except in continuous integration."""
    yield from _started(s3_servers.minio, tmp_path_factory.mktemp("minio"))


@pytest.fixture(params=["seaweedfs", "minio"])
def server(request: pytest.FixtureRequest) -> S3Server:
    """Provide each server in turn."""
    found: S3Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def bucket_on() -> Callable[[S3Server], str]:
    """Provide the one bucket of a server: SeaweedFS reserves disk space for each, which takes seconds."""

    @cache
    def make(server: S3Server) -> str:
        keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
        client = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", **keys)
        client.create_bucket(Bucket=BUCKET)
        return BUCKET

    return make


@pytest.fixture
def new_store(bucket_on: Callable[[S3Server], str], monkeypatch: pytest.MonkeyPatch) -> NewStore:
    """Provide a function that makes an empty store on a server and sets the environment to the server's keys.

    ``settings`` are those of the server unless given.
    """

    def make(server: S3Server, settings: S3Settings | None = None) -> S3Store:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        prefix = f"some/prefix/{uuid.uuid4().hex[:12]}"
        return S3Store(bucket_on(server), prefix, settings or S3Settings.from_environment())

    return make


def _started(run: Callable[[Path], AbstractContextManager[S3Server]], folder: Path) -> Iterator[S3Server]:
    try:
        with run(folder) as server:
            yield server
    except s3_servers.ServerUnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
