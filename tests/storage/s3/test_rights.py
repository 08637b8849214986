"""Keys with the policies of docs/examples/storage, on a real server: each role can do its work, and nothing else."""

import fnmatch
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError

from phase2.cluster.status.outcome import WorkflowOutcome
from phase2.config.schema import DataConfig
from phase2.data.dataset import open_graph_store
from phase2.data.sources.registry import open_source
from phase2.data.stored.catalog import delete_data
from phase2.data.stored.names import name_data
from phase2.data.stored.push import LocalData, push_data
from phase2.diagnosis.store import probe
from phase2.errors import RequestError
from phase2.runs.catalog.index import list_runs
from phase2.runs.page.build import build_page
from phase2.runs.page.links import PAGE
from phase2.runs.publish.deletion import delete_run
from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.remote.ids import run_of_id
from phase2.runs.remote.state import RemoteRun
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store
from phase2.testing.finished_run import finished_run
from phase2.testing.stores.watched_store import Killed, KillingStore
from phase2.tuning.claims import Claims
from phase2.tuning.journal.backend import StoreJournal
from phase2.tuning.workers import Worker
from tools.manifests.storage.files import EXAMPLES, files
from tools.manifests.storage.policies import Place

ROOT = Path(__file__).parents[3]
BUCKET, PREFIX = "rights", "team/runs"
VERSIONED = "rights-and-versions"
PLACE = Place("minio", BUCKET, f"{PREFIX}/")
FILES = {"best.pt": b"w" * 5000, "parity.png": b"png"}
LARGE = FILES | {"checkpoint.pt": bytes(20 << 20)}
FORBIDDEN = "AccessDenied"


@pytest.fixture(scope="module")
def admin(minio):
    keys = {"aws_access_key_id": minio.access_key, "aws_secret_access_key": minio.secret_key}
    client = boto3.client("s3", endpoint_url=minio.endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    client.create_bucket(Bucket=VERSIONED)
    client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def use_keys(minio, admin, monkeypatch):
    """Make keys with a policy, set the environment to them, and return a store that uses them."""
    sts = boto3.client(
        "sts", endpoint_url=minio.endpoint, region_name="us-east-1",
        aws_access_key_id=minio.access_key, aws_secret_access_key=minio.secret_key,
    )  # fmt: skip

    def use(policy):
        found = sts.assume_role(RoleArn="arn:xxx:xxx:xxx:xxxx", RoleSessionName="role", Policy=_compact(policy))
        keys = found["Credentials"]
        names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey"}
        for name, value in minio.environment.items():
            monkeypatch.setenv(name, keys[names[name]] if name in names else value)
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
        return S3Store(BUCKET, PREFIX, S3Settings.from_environment())

    return use


@pytest.fixture
def published(use_keys, admin, tmp_path):
    """A run that somebody else published, alone in the bucket."""
    for page in admin.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", []):
            admin.delete_object(Bucket=BUCKET, Key=found["Key"])
    run = finished_run(tmp_path / "others", FILES, run_id="theirs")
    publish_run(use_keys(PLACE.policy("maintain")), run)
    return run


def _compact(policy):
    return json.dumps(policy, separators=(",", ":"))


def keys_of(admin):
    return {found["Key"]: found["ETag"] for found in admin.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def run_whole(store, folder, run_id, files=FILES):
    """Do what a training run does with a store: begin, save, be killed, resume from the store, and publish."""
    run = finished_run(folder, files, run_id=run_id)
    prefix = f"{run.family}/{run.name}"
    remote = RemoteRun.claim(store, run)
    assert remote.prefix == prefix
    remote.announce(run)
    for step in (1, 2, 3):
        content = b"state %d" % step
        digest = hashlib.sha256(content).hexdigest()
        assert remote.checkpoints.add(content, sha256=digest, step=step, epoch=step, host="pod") is None
        remote.put_attempts(run)
    assert run_of_id(store, run_id) == prefix
    resumed = RemoteRun.claim(store, run)
    assert resumed.checkpoints.fetch(folder / "restored.pt").step == 3
    resumed.restore_attempts(run)
    publish_run(store, run)
    resumed.finish()
    return prefix


@pytest.mark.parametrize("policy", [PLACE.policy("train"), PLACE.policy_of_run("mine")], ids=["train", "one run"])
def test_keys_of_training_run_resume_and_publish(use_keys, published, tmp_path, policy):
    store = use_keys(policy)
    prefix = run_whole(store, tmp_path / "models", "mine", LARGE)
    found = PublishedRun.open(store, prefix).verify()
    assert (found.missing, found.damaged, found.extra) == ((), (), ())
    assert not [info.key for info in store.list(f"{prefix}/") if "/." in info.key]
    assert {run.run_id for run in list_runs(store)} == {"mine", "theirs"}


def requests_of(store):
    """Return the list of requests that a store makes from now on: names of operations and their parameters."""
    requests = []

    def note(params, model, **_):
        requests.append((model.name, params))

    client_of(store).meta.events.register("provide-client-params.s3.*", note)
    return requests


def publish_twice(store, run, k):
    """Publish with a process that is killed at its ``k``-th change, and then with another one."""
    with pytest.raises(Killed):
        publish_run(KillingStore(store, k, after=True), run)
    publish_run(store, run)
    return f"{run.family}/{run.name}"


@pytest.mark.parametrize("policy", [PLACE.policy("train"), PLACE.policy_of_run("mine")], ids=["train", "one run"])
def test_keys_of_training_publish_what_a_killed_publisher_began(use_keys, published, tmp_path, policy):
    store = use_keys(policy)
    run = finished_run(tmp_path / "models", FILES, run_id="mine")
    for k in (2, 4, 6):
        assert PublishedRun.open(store, publish_twice(store, run, k)).verify().intact
        delete_run(use_keys(PLACE.policy("maintain")), f"{run.family}/{run.name}")
        store = use_keys(policy)


def attempts_at(client, keys):
    """Try to overwrite and to delete each object; return the codes of the answers."""
    codes = set()
    for key in keys:
        for change in (
            lambda key=key: client.put_object(Bucket=BUCKET, Key=key, Body=b"forged"),
            lambda key=key: client.create_multipart_upload(Bucket=BUCKET, Key=key),
            lambda key=key: client.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": key}),
            lambda key=key: client.delete_object(Bucket=BUCKET, Key=key),
            lambda key=key: client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}]}),
        ):
            try:
                answer = change()
            except ClientError as error:
                codes.add(error.response["Error"]["Code"])
            else:
                codes.add(answer["Errors"][0]["Code"] if answer.get("Errors") else "done")
    return codes


def client_of(store):
    return store._requests.client


def test_keys_of_one_run_cannot_change_overwrite_or_delete_another(use_keys, admin, published, tmp_path):
    before = keys_of(admin)
    store = use_keys(PLACE.policy_of_run("mine"))
    theirs = [key for key in before if "theirs" in key]
    assert len(theirs) == len(FILES) + 5  # with configuration, attempts, manifest, id and marker
    others = ["a", ".ids/x", ".index.json", "multitask_cgcnn/run_20260101T000000Z_not_mine/a", ".published/a.b"]
    alike = [f"{published.family}/run_20260101T000000Z_not_mine/run_20260101T000000Z_mine/a", f"{published.family}/a"]
    assert attempts_at(client_of(store), [*theirs, *(f"{PREFIX}/{key}" for key in others + alike), "a"]) == {FORBIDDEN}
    with pytest.raises(RequestError, match="permission"):
        delete_run(store, f"{published.family}/{published.name}")
    assert keys_of(admin) == before
    run_whole(store, tmp_path / "models", "mine")
    assert {key: etag for key, etag in keys_of(admin).items() if key in before} == before


def test_keys_of_training_delete_nothing_that_is_published(use_keys, admin, published):
    before = keys_of(admin)
    store = use_keys(PLACE.policy("train"))
    client = client_of(store)
    for key in before:
        if "/.published/" in key:
            continue  # a marker makes lists quick, and says nothing that the run does not
        with pytest.raises(ClientError, match=FORBIDDEN):
            client.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(RequestError, match="permission"):
        delete_run(store, f"{published.family}/{published.name}")
    assert attempts_at(client, ["a", f"{PREFIX}/a", f"{PREFIX}/.index.json", f"{PREFIX}/docs/a"]) == {FORBIDDEN}
    (kept,) = list_runs(store)
    assert PublishedRun.open(store, kept.prefix).verify().intact
    assert {key for key in before if "/.published/" not in key} <= keys_of(admin).keys()


def test_keys_of_training_cannot_change_what_is_read_of_a_published_run(use_keys, admin, tmp_path):
    place = Place("minio", VERSIONED, f"{PREFIX}/")
    run = finished_run(tmp_path / "others", FILES, run_id="theirs")
    use_keys(place.policy("maintain"))
    publish_run(S3Store(VERSIONED, PREFIX, S3Settings.from_environment()), run)
    use_keys(place.policy("train"))
    store = S3Store(VERSIONED, PREFIX, S3Settings.from_environment())
    names = [info.key for info in store.list(f"{run.family}/{run.name}/")]
    for key in names:
        store.put(key, b"forged")
        for version in admin.list_object_versions(Bucket=VERSIONED, Prefix=f"{PREFIX}/{key}")["Versions"]:
            with pytest.raises(ClientError, match=FORBIDDEN):
                client_of(store).delete_object(Bucket=VERSIONED, Key=f"{PREFIX}/{key}", VersionId=version["VersionId"])
        with pytest.raises(ClientError, match=FORBIDDEN):
            client_of(store).put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Suspended"})
    for role in ("train", "read", "maintain"):
        use_keys(place.policy(role))
        store = S3Store(VERSIONED, PREFIX, S3Settings.from_environment())
        found = PublishedRun.open(store, f"{run.family}/{run.name}")
        pulled = found.pull(tmp_path / role)
        assert {name: (pulled.path / name).read_bytes() for name in FILES} == FILES
        assert pulled.manifest.read_bytes() == run.manifest.read_bytes()


def test_readers_list_and_pull_and_change_nothing(use_keys, admin, published, tmp_path):
    before = keys_of(admin)
    store = use_keys(PLACE.policy("read"))
    (found,) = list_runs(store, rebuild=True)
    run = PublishedRun.open(store, found.prefix).pull(tmp_path / "here")
    assert run.best.read_bytes() == FILES["best.pt"]
    new = [
        f"{PREFIX}/{key}" for key in ("a", ".ids/x", f"{found.prefix}/.checkpoints/a", f"{found.prefix}/.publishing")
    ]
    assert attempts_at(client_of(store), [*before, *new]) == {FORBIDDEN}
    with pytest.raises(RequestError, match="permission"):
        publish_run(store, finished_run(tmp_path / "models", FILES))
    assert keys_of(admin) == before
    with pytest.raises(RequestError, match="permission"):
        list_runs(S3Store(BUCKET, "others", S3Settings.from_environment()))


@pytest.fixture
def pushed_data(tmp_path, monkeypatch):
    """Return a function that pushes crystals with the keys of a store, and their address."""
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    atoms = {"lattice_mat": [[4, 0, 0], [0, 4, 0], [0, 0, 4]], "coords": [[0, 0, 0], [0.5] * 3], "elements": ["K", "F"]}
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"id": "a", "atoms": atoms | {"cartesian": False}, "band_gap": 1}) + "\n")

    def push(store):
        built, source = open_graph_store(DataConfig(source=str(path))), open_source(str(path))
        address = push_data(store, LocalData.read(path), built, source.fingerprint).address
        return address, name_data(store, "mine", address)

    return push


@pytest.mark.parametrize("role", ["train", "read"])
def test_keys_of_training_read_data_and_keys_that_push_store_them_and_neither_changes_them(
    use_keys, admin, published, pushed_data, tmp_path, monkeypatch, role
):
    pusher = use_keys(PLACE.policy("push"))
    address, new = pushed_data(pusher)
    assert new
    assert pushed_data(pusher) == (address, False)
    before = keys_of(admin)
    runs = [key for key in before if "theirs" in key]
    other = [f"{PREFIX}/{key}" for key in ("a", ".ids/x", "multitask_cgcnn/run_1/a", ".published/a", "predictions/a")]
    assert attempts_at(client_of(pusher), [*runs, *other]) == {FORBIDDEN}
    data = [key for key in before if f"{PREFIX}/data/" in key]
    for key in data:
        with pytest.raises(ClientError, match=FORBIDDEN):
            client_of(pusher).delete_object(Bucket=BUCKET, Key=key)
    store = use_keys(PLACE.policy(role))
    names = (f"{PREFIX}/data/names/mine/000002.json", f"{PREFIX}/data/sets/a", f"{PREFIX}/data/a")
    assert attempts_at(client_of(store), [*data, *names]) == {FORBIDDEN}
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "another"))
    assert len(open_graph_store(DataConfig(source="mine"), stored_in=store).graphs) == 1
    with pytest.raises(RequestError, match="permission"):
        delete_data(store, address)
    assert keys_of(admin) == before
    assert delete_data(use_keys(PLACE.policy("maintain")), address) is False  # it has a name


def test_keys_of_the_page_write_it_and_change_no_run(use_keys, published, admin, tmp_path):
    before = keys_of(admin)
    store = use_keys(PLACE.policy("page"))
    page = S3Store(BUCKET, f"{PREFIX}/{PAGE}", S3Settings.from_environment())
    assert build_page(store, page).runs == 1
    publish_run(use_keys(PLACE.policy("maintain")), finished_run(tmp_path / "later", FILES, run_id="later"))
    use_keys(PLACE.policy("page"))
    page = S3Store(BUCKET, f"{PREFIX}/{PAGE}", S3Settings.from_environment())
    old = [info.key for info in page.list("data/")]
    assert build_page(store, page, kept_for=timedelta(0)).changed
    assert not {info.key for info in page.list("data/")} & set(old)
    new = [f"{PREFIX}/{key}" for key in ("a", ".ids/x", "pages/a", "multitask_cgcnn/run_1/page/a", ".published/a")]
    assert attempts_at(client_of(page), [*before, *new]) == {FORBIDDEN}
    use_keys(PLACE.policy("train"))
    page = S3Store(BUCKET, f"{PREFIX}/{PAGE}", S3Settings.from_environment())
    assert attempts_at(client_of(page), [f"{PREFIX}/{PAGE}/index.html"]) == {FORBIDDEN}


def test_keys_of_training_work_on_a_study_and_say_how_workflows_ended(use_keys, published, tmp_path):
    store = use_keys(PLACE.policy("train"))
    worker = Worker(store, "size", locks=tmp_path)
    with worker.registered():
        claims = Claims(store, "size", worker)
        assert claims.take(0) is not None
        StoreJournal(store, ".studies/size/journal").append_logs([{"op_code": 10}])
    assert list(StoreJournal(store, ".studies/size/journal").read_logs(0)) == [{"op_code": 10}]
    assert not list(store.list(".studies/size/workers/"))
    WorkflowOutcome.of("phase2-x", "Succeeded", "null").save(store)
    assert not [finding for finding in probe(store) if finding.problem]


def test_a_store_may_be_a_whole_bucket(use_keys, published, tmp_path):
    place = Place("minio", BUCKET)
    use_keys(place.policy("train"))
    store = S3Store(BUCKET, "", S3Settings.from_environment())
    prefix = run_whole(store, tmp_path / "models", "mine")
    assert [run.prefix for run in list_runs(store)] == [prefix]
    use_keys(place.policy("read"))
    store = S3Store(BUCKET, "", S3Settings.from_environment())
    assert PublishedRun.open(store, prefix).verify().intact
    assert store.head("multitask_cgcnn/nothing") is None
    use_keys(place.policy("maintain"))
    delete_run(S3Store(BUCKET, "", S3Settings.from_environment()), prefix)


def test_maintainers_delete_runs_and_stay_below_the_prefix(use_keys, admin, published):
    store = use_keys(PLACE.policy("maintain"))
    list_runs(store, rebuild=True)
    delete_run(store, f"{published.family}/{published.name}")
    assert [key for key in keys_of(admin) if "theirs" in key] == []
    assert attempts_at(client_of(store), ["a", "teams/runs/a", "team/a"]) == {FORBIDDEN}


@pytest.mark.slow
def test_a_training_with_keys_of_its_own_run_is_killed_resumes_and_publishes(use_keys, admin, published, tmp_path):
    store = use_keys(PLACE.policy_of_run("mine"))
    before = keys_of(admin)
    command = [
        sys.executable, "-m", "phase2", "train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "96",
        "--epochs", "6", "--no-baselines", "--store", store.url, "--checkpoint-minutes", "0.001",
    ]  # fmt: skip
    environment = os.environ | {"PHASE2_RUN_ID": "mine", "CUDA_VISIBLE_DEVICES": ""}
    first = subprocess.Popen([*command, "--output", str(tmp_path / "pod-1")], env=environment)
    while not any(".checkpoints/latest.json" in key for key in keys_of(admin)) and first.poll() is None:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    again = subprocess.run(
        [*command, "--output", str(tmp_path / "pod-2")], env=environment, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "restored from the store" in again.stdout + again.stderr
    run = next(run for run in list_runs(store) if run.run_id == "mine")
    assert PublishedRun.open(store, run.prefix).verify().intact
    assert {key: etag for key, etag in keys_of(admin).items() if key in before} == before


class TestRequestsAgainstThePoliciesOfAws:
    """What phase2 requests, watched, is what the policies of AWS allow: these cannot be tried without AWS."""

    OPERATIONS: ClassVar = {
        "HeadObject": "GetObject", "GetObject": "GetObject", "PutObject": "PutObject", "DeleteObject": "DeleteObject",
        "ListObjectsV2": "ListBucket", "GetBucketVersioning": "GetBucketVersioning",
        "ListObjectVersions": "ListBucketVersions", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject",
        "CompleteMultipartUpload": "PutObject", "AbortMultipartUpload": "AbortMultipartUpload",
    }  # fmt: skip

    @pytest.fixture
    def watched(self, new_store, minio):
        store = new_store(minio)
        return store, requests_of(store)

    @classmethod
    def allows(cls, policy, operation, params):
        """Evaluate the policy for a request, as AWS does for the conditions that it has."""
        action = f"s3:{cls.OPERATIONS[operation]}" + ("Version" if "VersionId" in params else "")
        resource = f"arn:aws:s3:::{params['Bucket']}" + (f"/{params['Key']}" if "Key" in params else "")
        allowed = False
        creates = operation in {"PutObject", "CompleteMultipartUpload"}
        for statement in policy["Statement"]:
            condition = statement.get("Condition", {})
            if action not in statement["Action"]:
                continue
            if not any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"]):
                continue
            if "Null" in condition and not (creates and "IfNoneMatch" in params):
                continue
            if "Bool" in condition and creates:
                continue
            prefixes = condition.get("StringLikeIfExists", {}).get("s3:prefix", ["*"])
            if "Prefix" in params and not any(fnmatch.fnmatchcase(params["Prefix"], each) for each in prefixes):
                continue
            if statement["Effect"] == "Deny":
                return False
            allowed = True
        return allowed

    @pytest.fixture
    def place(self, watched):
        bucket, _, prefix = watched[0].url.removeprefix("s3://").partition("/")
        return Place("aws", bucket, f"{prefix}/")

    def test_a_training_run_requests_what_training_may(self, watched, place, tmp_path):
        store, requests = watched
        run_whole(store, tmp_path, "mine", LARGE)
        for policy in (place.policy("train"), place.policy_of_run("mine")):
            refused = [(name, params.get("Key")) for name, params in requests if not self.allows(policy, name, params)]
            assert refused == []
        unused = {"AbortMultipartUpload", "ListObjectVersions", "GetBucketVersioning"}
        assert {name for name, _ in requests} >= set(self.OPERATIONS) - unused

    def test_what_a_killed_publisher_began_is_published_with_requests_that_training_may(self, watched, place, tmp_path):
        store, requests = watched
        publish_twice(store, finished_run(tmp_path, LARGE, run_id="mine"), 4)
        for policy in (place.policy("train"), place.policy_of_run("mine")):
            assert [name for name, params in requests if not self.allows(policy, name, params)] == []

    def test_nothing_published_can_be_replaced_or_deleted_by_training(self, watched, place, tmp_path):
        store, _ = watched
        prefix = run_whole(store, tmp_path, "mine", LARGE)
        policy = place.policy("train")
        keys = [info.key for info in store.list() if not info.key.startswith(".published/")]
        assert len(keys) == len(LARGE) + 4
        assert f"{prefix}/run_manifest.json" in keys
        for key in keys:
            full = {"Bucket": place.bucket, "Key": place.prefix + key}
            for operation in ("PutObject", "CompleteMultipartUpload", "DeleteObject"):
                assert not self.allows(policy, operation, full)

    def test_a_page_requests_what_its_keys_may(self, watched, place, tmp_path):
        store, requests = watched
        run_whole(store, tmp_path, "mine")
        requests.clear()
        page = S3Store(place.bucket, f"{place.prefix}{PAGE}", store._requests.settings)
        own = requests_of(page)
        build_page(store, page, kept_for=timedelta(0))
        run_whole(store, tmp_path, "other")
        policy = place.policy("page")
        build_page(store, page, kept_for=timedelta(0))
        assert [name for name, params in own if not self.allows(policy, name, params)] == []
        assert {name for name, _ in own} >= {"ListObjectsV2", "GetObject", "PutObject", "DeleteObject"}

    def test_lists_and_pulls_request_what_readers_may(self, watched, place, tmp_path):
        store, requests = watched
        prefix = run_whole(store, tmp_path, "mine")
        requests.clear()
        list_runs(store)
        PublishedRun.open(store, prefix).pull(tmp_path / "here")
        assert [name for name, params in requests if not self.allows(place.policy("read"), name, params)] == []

    def test_a_delete_requests_what_maintainers_may(self, watched, place, tmp_path):
        store, requests = watched
        prefix = run_whole(store, tmp_path, "mine")
        requests.clear()
        delete_run(store, prefix)
        list_runs(store, rebuild=True)
        assert [name for name, params in requests if not self.allows(place.policy("maintain"), name, params)] == []


def test_the_files_are_what_is_tested():
    for path, content in files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == content
    assert len(_compact(Place("aws", "b" * 40, "p" * 16 + "/").policy_of_run("i" * 40))) < 2048
    assert len((ROOT / EXAMPLES / "one-run.json").read_text(encoding="utf-8")) < 1200
