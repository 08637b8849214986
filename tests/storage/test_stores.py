"""The contract of stores, on a folder and on two real servers."""

from collections.abc import Callable

import pytest

from phase2.storage.local import LocalStore
from phase2.storage.s3 import S3Store
from phase2.testing.s3_servers import S3Server
from phase2.testing.store_contract import StoreContract

NewStore = Callable[[S3Server], S3Store]


class TestFolder(StoreContract):
    @pytest.fixture
    def store(self, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
        return LocalStore(tmp_path_factory.mktemp("store") / "not yet there")


class TestSeaweedFS(StoreContract):
    @pytest.fixture
    def store(self, seaweedfs: S3Server, new_store: NewStore) -> S3Store:
        return new_store(seaweedfs)


class TestMinIO(StoreContract):
    @pytest.fixture
    def store(self, minio: S3Server, new_store: NewStore) -> S3Store:
        return new_store(minio)
