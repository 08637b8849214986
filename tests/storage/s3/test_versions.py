"""A bucket with versions and object lock: it is said, deletes leave versions or remove them, and files are locked."""

import hashlib
import urllib.request
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from phase2.diagnosis.store import probe
from phase2.errors import DataError, RequestError
from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.deletion import delete_run
from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.protection import Protection
from phase2.storage.s3.responses import DIGEST_NAME
from phase2.storage.s3.settings import RETENTION_VARIABLE, S3Settings
from phase2.storage.s3.store import S3Store
from phase2.testing.finished_run import finished_run

PLAIN, VERSIONED, LOCKED = "plain-bucket", "versioned-bucket", "locked-bucket"
FILES = {"best.pt": b"w" * 5000, "parity.png": b"png"}
OBJECTS = len(FILES) + 3  # with configuration, attempts and manifest


@pytest.fixture(scope="module")
def admin(minio):
    keys = {"aws_access_key_id": minio.access_key, "aws_secret_access_key": minio.secret_key}
    client = boto3.client("s3", endpoint_url=minio.endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=PLAIN)
    client.create_bucket(Bucket=VERSIONED)
    client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    client.create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
    return client


@pytest.fixture
def store_in(minio, admin, monkeypatch, request):
    def make(bucket, *, days=""):
        for name, value in (minio.environment | {RETENTION_VARIABLE: days}).items():
            monkeypatch.setenv(name, value)
        return S3Store(bucket, request.node.name[:60], S3Settings.from_environment())

    return make


@pytest.mark.parametrize(
    ("bucket", "state", "words"),
    [
        (PLAIN, Protection(versioned=False, lock=False), ("not kept", "off")),
        (VERSIONED, Protection(versioned=True, lock=False), ("kept", "off")),
        (LOCKED, Protection(versioned=True, lock=True), ("kept", "on")),
    ],
)
def test_doctor_says_what_a_bucket_keeps(store_in, bucket, state, words):
    store = store_in(bucket)
    assert store.protection() == state
    found = {finding.name: finding.value for finding in probe(store)}
    assert (found["earlier versions"], found["object lock"]) == words


def test_the_default_retention_of_a_bucket_is_said(store_in, admin):
    admin.create_bucket(Bucket="retaining-bucket", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    admin.put_object_lock_configuration(
        Bucket="retaining-bucket", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    assert store_in("retaining-bucket").protection().default_retention == "3 days, GOVERNANCE"


def test_a_deleted_run_leaves_versions_that_are_removed_when_asked(store_in, tmp_path):
    store = store_in(VERSIONED)
    runs = [finished_run(tmp_path / name, FILES, run_id=name) for name in ("a", "a0")]
    for run in runs:
        publish_run(store, run)
    prefix, other = (f"{run.family}/{run.name}" for run in runs)
    delete_run(store, prefix)
    assert [run.prefix for run in list_runs(store)] == [other]
    assert store.count_versions(f"{prefix}/") == 2 * OBJECTS + 2  # with a delete marker each, and the claim's
    assert store.delete_versions(f"{prefix}/") == 2 * OBJECTS + 2
    assert store.count_versions(f"{prefix}/") == 0
    assert PublishedRun.open(store, other).verify().intact
    assert not publish_run(store, runs[0]).already


def test_published_files_are_locked_for_the_days_of_the_setting(store_in, admin, tmp_path):
    store = store_in(LOCKED, days="2")
    run = finished_run(tmp_path, FILES, run_id="a")
    publish_run(store, run)
    assert publish_run(store, run).already
    prefix = f"{store.url.partition(LOCKED)[2][1:]}/{run.family}/{run.name}"
    for name in (*FILES, "run_config.json", "run_manifest.json"):
        found = admin.get_object_retention(Bucket=LOCKED, Key=f"{prefix}/{name}")["Retention"]
        assert found["Mode"] == "GOVERNANCE"
        assert timedelta(days=1.9) < found["RetainUntilDate"] - datetime.now(UTC) < timedelta(days=2.1)
    admin.put_object(Bucket=LOCKED, Key=f"{prefix}/best.pt", Body=b"forged")
    *_, first = admin.list_object_versions(Bucket=LOCKED, Prefix=f"{prefix}/best.pt")["Versions"]
    with pytest.raises(ClientError, match=r"WORM|locked|AccessDenied"):
        admin.delete_object(Bucket=LOCKED, Key=f"{prefix}/best.pt", VersionId=first["VersionId"])
    assert (
        admin.get_object(Bucket=LOCKED, Key=f"{prefix}/best.pt", VersionId=first["VersionId"])["Body"].read()
        == (FILES["best.pt"])
    )
    delete_run(store, f"{run.family}/{run.name}")
    with pytest.raises(RequestError, match="may be locked"):
        store.delete_versions(f"{run.family}/{run.name}/")


def test_a_manifest_that_was_changed_after_it_was_published_is_found(store_in, tmp_path):
    store = store_in(VERSIONED)
    run = finished_run(tmp_path, FILES, run_id="a")
    prefix = f"{run.family}/{run.name}"
    for _ in range(2):  # the second time after it was deleted
        publish_run(store, run)
        assert PublishedRun.open(store, prefix).verify().intact
        delete_run(store, prefix)
    publish_run(store, run)
    store.put(f"{prefix}/run_manifest.json", run.manifest.read_bytes().replace(b'"score": 0.2', b'"score": 0.1'))
    found = PublishedRun.open(store, prefix)
    assert (found.manifest.score, found.was_replaced) == (0.2, True)
    assert (found.verify().intact, found.verify().replaced) == (False, ("run_manifest.json",))
    pulled = found.pull(tmp_path / "here")
    assert pulled.manifest.read_bytes() == run.manifest.read_bytes()


def test_what_was_published_is_read_when_its_files_are_overwritten(store_in, admin, tmp_path, caplog):
    store = store_in(VERSIONED)
    run = finished_run(tmp_path, FILES | {"checkpoint.pt": bytes(20 << 20)}, run_id="a")
    prefix = f"{run.family}/{run.name}"
    publish_run(store, run)
    names = [info.key.removeprefix(f"{prefix}/") for info in store.list(f"{prefix}/")]
    assert len(names) == OBJECTS + 1
    honest = PublishedRun.open(store, prefix)
    for name in names:
        content = (run.path / name).read_bytes()
        store.put(f"{prefix}/{name}", b"forged")
        admin.put_object(  # of the right size, and with the right digest beside it
            Bucket=VERSIONED, Key=f"{store.url.partition(VERSIONED)[2][1:]}/{prefix}/{name}",
            Body=b"\1" * len(content), Metadata={DIGEST_NAME: hashlib.sha256(content).hexdigest()},
        )  # fmt: skip
    found = PublishedRun.open(store, prefix)
    assert found.content == honest.content
    assert found.verify().replaced == (*sorted(set(names) - {"run_manifest.json"}), "run_manifest.json")
    assert not found.verify().damaged
    pulled = found.pull(tmp_path / "here")
    assert {name: (pulled.path / name).read_bytes() for name in names} == {
        name: (run.path / name).read_bytes() for name in names
    }
    assert "what was published is read" in caplog.text
    for address, artifact in zip(found.presign(60), found.manifest.artifacts, strict=True):
        with urllib.request.urlopen(address) as answer:
            assert hashlib.sha256(answer.read()).hexdigest() == artifact.sha256
    assert list_runs(store, rebuild=True)[0].score == honest.manifest.score
    readable = found.with_published_files()
    best = next(each for each in found.manifest.artifacts if each.path == "best.pt")
    assert readable.read_range(best, 0, 4) == FILES["best.pt"][:4]
    delete_run(store, prefix)
    assert list_runs(store, rebuild=True) == []


def test_a_file_of_which_no_version_is_right_is_damaged(store_in, tmp_path):
    store = store_in(VERSIONED)
    run = finished_run(tmp_path, FILES, run_id="a")
    prefix = f"{run.family}/{run.name}"
    publish_run(store, run)
    store.delete(f"{prefix}/best.pt")
    for content in (b"forged", b"again"):
        store.put(f"{prefix}/best.pt", content)
    found = PublishedRun.open(store, prefix)
    assert found.verify().damaged == ("best.pt",)
    with pytest.raises(DataError, match=r"best\.pt"):
        found.pull(tmp_path / "here")


@pytest.mark.parametrize("bucket", [PLAIN, VERSIONED])
def test_a_lock_that_a_bucket_does_not_have_is_refused_before_anything_is_stored(store_in, tmp_path, bucket):
    store = store_in(bucket, days="2")
    with pytest.raises(RequestError, match="no object lock"):
        publish_run(store, finished_run(tmp_path, FILES, run_id="a"))
    assert list(store.list()) == []
    (problem,) = [found.problem for found in probe(store) if found.problem]
    assert "no object lock" in problem.what


@pytest.mark.parametrize("word", ["-1", "x", "1.5", "36501", "1" * 5000, "\u0661"])
def test_a_retention_that_is_no_number_of_days_is_refused(word):
    with pytest.raises(RequestError, match=RETENTION_VARIABLE):
        S3Settings.from_environment({RETENTION_VARIABLE: word})
