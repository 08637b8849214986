"""The lifecycle rule of the documentation, on a real server: logs of workflows expire, and nothing else does."""

import json
from pathlib import Path

import boto3
import pytest

from phase2.runs.catalog.scan import run_prefixes
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store

RULES = Path(__file__).parents[3] / "docs" / "examples" / "storage" / "bucket-lifecycle.json"
BUCKET = "phase2-lifecycle"
RUN = "multitask_cgcnn/run_20260101T000000Z_abc"
KEYS = {
    ".workflows/logs/phase2-x7k2p/phase2-x7k2p-train-1/main.log": True,
    ".workflows/phase2-x7k2p.json": False,
    ".published/abc": False,
    "workflows/phase2-x7k2p/report.md": False,
    f"{RUN}/run_manifest.json": False,
    f"{RUN}/best.pt": False,
}
"""Keys of a store, and whether an object of that name expires."""


@pytest.fixture(scope="module")
def client(minio):
    keys = {"aws_access_key_id": minio.access_key, "aws_secret_access_key": minio.secret_key}
    made = boto3.client("s3", endpoint_url=minio.endpoint, region_name="us-east-1", **keys)
    made.create_bucket(Bucket=BUCKET)
    made.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration=json.loads(RULES.read_text(encoding="utf-8"))
    )
    for key in KEYS:
        made.put_object(Bucket=BUCKET, Key=key, Body=b"content")
    return made


def test_the_server_takes_the_rule(client):
    rules = client.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert {one["ID"]: one["Status"] for one in rules} == {"phase2-logs-of-workflows": "Enabled"}


@pytest.mark.parametrize(("key", "expires"), KEYS.items())
def test_logs_expire_and_nothing_else_does(client, key, expires):
    said = client.head_object(Bucket=BUCKET, Key=key).get("Expiration", "")
    assert ('rule-id="phase2-logs-of-workflows"' in said) is expires, said


def test_lists_of_runs_leave_the_logs_out(client, minio, monkeypatch):
    for name, value in minio.environment.items():
        monkeypatch.setenv(name, value)
    store = S3Store(BUCKET, "", S3Settings.from_environment())
    assert [prefix.rstrip("/") for prefix in run_prefixes(store)] == [RUN]
