"""Real servers for the tests of stores, each started once."""

from phase2.testing.s3_fixtures import bucket_on, minio, new_store, seaweedfs, server

__all__ = ["bucket_on", "minio", "new_store", "seaweedfs", "server"]
