"""Keys with the policy of training for a team's prefix, on a real server: that prefix, and nothing else."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from phase2.errors import Phase2Error, RequestError
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store
from tools.manifests.storage.policies import Place

BUCKET = "materials"
LARGE = bytes(20 << 20)


@pytest.fixture(scope="module")
def admin(minio):
    keys = {"aws_access_key_id": minio.access_key, "aws_secret_access_key": minio.secret_key}
    client = boto3.client("s3", endpoint_url=minio.endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="team-b/run_1/best.pt", Body=b"theirs")
    return keys


@pytest.fixture
def keys_of_the_team(minio, admin):
    policy = Place("minio", BUCKET, "team-a/").policy("train")
    sts = boto3.client("sts", endpoint_url=minio.endpoint, region_name="us-east-1", **admin)
    given = sts.assume_role(RoleArn="arn:xxx:xxx:xxx:xxxx", RoleSessionName="team-a", Policy=json.dumps(policy))
    return given["Credentials"]


@pytest.fixture
def store_at(minio, keys_of_the_team, monkeypatch):
    for name, value in minio.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys_of_the_team["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys_of_the_team["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys_of_the_team["SessionToken"])
    return lambda prefix: S3Store(BUCKET, prefix, S3Settings.from_environment())


def test_the_policy_is_enough_for_a_store_with_the_team_s_prefix(store_at):
    store = store_at("team-a")
    store.put("multitask_cgcnn/run_1/run_manifest.json", b"{}", if_absent=True)
    store.put("multitask_cgcnn/run_1/best.pt", LARGE)
    assert store.read("multitask_cgcnn/run_1/best.pt") == LARGE
    assert list(store.folders()) == ["multitask_cgcnn"]
    assert {one.key for one in store.list()} == {
        "multitask_cgcnn/run_1/run_manifest.json", "multitask_cgcnn/run_1/best.pt",
    }  # fmt: skip
    with pytest.raises(RequestError, match="do not have the permission"):
        store.delete("multitask_cgcnn/run_1/best.pt")
    assert store.head("multitask_cgcnn/run_1/run_manifest.json").size == 2


def test_another_team_s_prefix_can_neither_be_read_nor_written_nor_listed(store_at):
    theirs = store_at("team-b")
    for refused in (
        lambda: theirs.read("run_1/best.pt"),
        lambda: theirs.put("run_1/best.pt", b"ours"),
        lambda: list(theirs.list()),
        lambda: theirs.delete("run_1/best.pt"),
    ):
        with pytest.raises((Phase2Error, ClientError), match=r"(?i)denied|may not|refus|forbid|403"):
            refused()
