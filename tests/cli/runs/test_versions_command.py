"""``phase2 runs delete`` in a bucket that keeps versions."""

import boto3
import pytest

from phase2.runs.publish.publish import publish_run
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store
from phase2.testing.finished_run import finished_run

BUCKET = "commands-with-versions"
FILES = {"best.pt": b"w" * 5000, "parity.png": b"png"}
VERSIONS = 2 * (len(FILES) + 3) + 2
"""Each file, the configuration, the attempts, the manifest and the claim, with a delete marker each."""


@pytest.fixture
def store(minio, monkeypatch):
    for name, value in minio.environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=minio.endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return S3Store(BUCKET, "", S3Settings.from_environment())


def test_a_delete_says_that_versions_remain_and_removes_them_when_asked(store, say, tmp_path):
    runs = [finished_run(tmp_path, FILES, run_id=name) for name in ("a", "b", "c")]
    for run in runs:
        publish_run(store, run)
    prefixes = [f"{run.family}/{run.name}" for run in runs]
    code, printed, error = say("runs", "delete", "a", "--yes", "--json", "--store", store.url)
    assert (code, printed) == (0, {"removed": [prefixes[0]]})
    assert "keeps earlier versions" in error
    assert store.count_versions(f"{prefixes[0]}/") == VERSIONS
    code, printed, error = say("runs", "delete", prefixes[0], "--versions", "--yes", "--json", "--store", store.url)
    assert (code, printed) == (0, {"removed": [prefixes[0]]})
    assert f"{VERSIONS} versions and delete markers removed" in error
    assert store.count_versions(f"{prefixes[0]}/") == 0
    assert say("runs", "delete", "b", "--versions", "--yes", "--store", store.url)[0] == 0
    assert [store.count_versions(f"{prefix}/") for prefix in prefixes[1:]] == [0, VERSIONS // 2 + 1]
    code, _, error = say("runs", "prune", "--older-than", "0h", "--yes", "--json", "--store", store.url)
    assert code == 0
    assert "keeps earlier versions" in error
    assert say("runs", "delete", "docs/important", "--versions", "--yes", "--store", store.url)[0] == 2
