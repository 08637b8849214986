"""The contract of stores, on a folder and on two real servers."""

import pytest

from phase2.storage.folder import LocalStore
from phase2.storage.s3.store import S3Store
from phase2.testing.stores.s3_fixtures import NewStore
from phase2.testing.stores.s3_servers import S3Server
from phase2.testing.stores.store_contract import StoreContract


class TestFolder(StoreContract):
    @pytest.fixture
    def store(self, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
        return LocalStore(tmp_path_factory.mktemp("store") / "missing")


class TestSeaweedFS(StoreContract):
    @pytest.fixture
    def store(self, seaweedfs: S3Server, new_store: NewStore) -> S3Store:
        return new_store(seaweedfs)


class TestMinIO(StoreContract):
    @pytest.fixture
    def store(self, minio: S3Server, new_store: NewStore) -> S3Store:
        return new_store(minio)
