"""Keys that other programs have written, and settings of other programs: each costs itself alone, and is named."""

import boto3
import pytest

from phase2.config.limits import DEFAULT_LIMITS
from phase2.data.crystals.listing import LeftOut
from phase2.errors import RequestError
from phase2.prediction.stored_inputs import download_structures, list_stored_structures
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store

ODD = "odd//x.cif", "odd/deep//y.cif", "odd/line\nbreak.cif"


@pytest.fixture
def store(server, bucket_on):
    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    client = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", **keys)
    bucket = bucket_on(server)
    stored = []
    for key in ("odd/ok1.cif", "odd/ok2.cif", "odd/notes.txt", *ODD):
        try:
            client.put_object(Bucket=bucket, Key=key, Body=b"data_x\n")
        except client.exceptions.ClientError:
            continue  # MinIO keeps no empty names
        stored.append(key)
    yield bucket, [key for key in stored if key in ODD]
    for key in stored:
        client.delete_object(Bucket=bucket, Key=key)


def opened(server, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    return S3Store(bucket, "odd", S3Settings(endpoint=server.endpoint, region="us-east-1", path_style=True, attempts=2))


def test_an_odd_key_does_not_stop_the_others(store, server, tmp_path, monkeypatch):
    bucket, odd = store
    place = opened(server, bucket, monkeypatch)
    found = list_stored_structures(place)
    taken = [info.key for info in found.objects]
    assert {"ok1.cif", "ok2.cif"} <= set(taken)
    assert found.left_out == (LeftOut("notes.txt", "no structure by name"),)
    assert [one.name for one in found.refused] == ["line\nbreak.cif"]
    assert len(taken) == 1 + len(odd)  # SeaweedFS lists "odd//x.cif" as "odd/x.cif", MinIO does not store it
    assert len(download_structures(place, found.objects, tmp_path, DEFAULT_LIMITS)) == len(taken)
    assert "" not in list(place.folders())


@pytest.mark.parametrize(
    ("profile", "words"),
    [("lab", "There is no profile 'lab', which AWS_PROFILE names"), ("", "AWS_PROFILE is set and empty")],
)
def test_a_profile_that_is_missing_is_named(minio, bucket_on, tmp_path, monkeypatch, profile, words):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", profile)
    with pytest.raises(RequestError, match=words):
        list(opened(minio, bucket_on(minio), monkeypatch).list())


def test_a_path_in_the_endpoint_is_named(minio, bucket_on, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", minio.secret_key)
    settings = S3Settings(endpoint=f"{minio.endpoint}/other", region="us-east-1", path_style=True, attempts=2)
    with pytest.raises(RequestError) as refused:
        list(S3Store(bucket_on(minio), "x", settings).list())
    assert "''" not in str(refused.value)
