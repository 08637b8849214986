"""The object store that pods and tests share."""

import boto3

from phase2.testing.stores.s3_servers import S3Server

BUCKET = "phase2"
IN_CLUSTER = "http://minio.minio.svc.cluster.local:9000"
"""Address of the store for pods."""


class ClusterStore:
    """Object store in a cluster, as seen from this host.

    Attributes:
        server: How this host reaches it.
    """

    def __init__(self, server: S3Server) -> None:
        self.server = server

    @property
    def client(self):
        """S3 client on this host."""
        keys = {"aws_access_key_id": self.server.access_key, "aws_secret_access_key": self.server.secret_key}
        return boto3.client("s3", endpoint_url=self.server.endpoint, region_name="us-east-1", **keys)

    def make_bucket(self, name: str) -> None:
        existing = [bucket["Name"] for bucket in self.client.list_buckets()["Buckets"]]
        if name not in existing:
            self.client.create_bucket(Bucket=name)
