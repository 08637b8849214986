"""Errors of a bucket that cannot be used, on real servers: what happened, why, and the fix."""

import http.server
import logging
import socket
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError

from phase2.errors import RequestError, TransientError
from phase2.storage.base import ObjectExistsError, ObjectMissingError
from phase2.storage.s3.errors import s3_errors
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store
from phase2.storage.urls import open_store
from phase2.testing.stores.faults import Fault, Faults
from phase2.testing.stores.flaky_proxy import flaky

ATTEMPTS = 4


def settings(endpoint, **fields):
    hurried = {"attempts": ATTEMPTS, "first_pause": 0.01, "longest_pause": 0.05, "timeout": 5.0}
    return S3Settings(endpoint=endpoint, region="us-east-1", path_style=True, **(hurried | fields))


@pytest.fixture
def store(server, new_store):
    return new_store(server, settings(server.endpoint))


@pytest.fixture
def proxy(seaweedfs):
    with flaky(seaweedfs.endpoint) as proxy:
        yield proxy


@pytest.fixture
def through(seaweedfs, proxy, new_store):
    """A store on an unreliable network; tests/faults tests more of that, on every server."""
    return new_store(seaweedfs, settings(proxy.endpoint))


OPERATIONS = {
    "put": lambda store, folder: store.put("a", b"content"),
    "put if absent": lambda store, folder: store.put("new", b"content", if_absent=True),
    "put in parts": lambda store, folder: store.put("a", bytes(store._requests.settings.part_bytes + 1)),
    "get": lambda store, folder: store.get("a", folder / "a"),
    "read": lambda store, folder: store.read("a"),
    "read a range": lambda store, folder: store.read_range("a", 0, 2),
    "list": lambda store, folder: list(store.list()),
    "folders": lambda store, folder: list(store.folders()),
    "head": lambda store, folder: store.head("a"),
    "delete": lambda store, folder: store.delete("a"),
}


@pytest.fixture(params=OPERATIONS)
def operation(request):
    return OPERATIONS[request.param]


def refused(operation, store, folder, kind, why):
    """Return the error of an operation and check its three parts."""
    with pytest.raises(kind) as caught:
        operation(store, folder)
    error = caught.value
    assert not isinstance(error, ObjectMissingError)
    assert store.url in error.what
    assert why in error.why
    assert error.fix
    assert "\n" not in str(error)
    assert list(folder.iterdir()) == []
    return error


def test_a_wrong_secret(store, operation, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    assert "AWS_SECRET_ACCESS_KEY" in refused(operation, store, tmp_path, RequestError, "secret key is wrong").fix


def test_a_key_that_the_server_does_not_know(store, operation, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unknown-key")
    refused(operation, store, tmp_path, RequestError, "does not know the access key")


def test_no_keys_at_all(store, operation, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path.parent / "nothing"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    refused(operation, store, tmp_path, RequestError, "No access keys were found")


def test_a_bucket_that_does_not_exist(minio, new_store, operation, tmp_path):
    new_store(minio)
    nowhere = S3Store("no-such-bucket", "", settings(minio.endpoint))
    refused(operation, nowhere, tmp_path, RequestError, "no such bucket")


@pytest.mark.parametrize("name", ["get", "read", "read a range", "list", "folders", "head"])
def test_a_bucket_that_does_not_exist_where_a_put_would_make_it(seaweedfs, new_store, name, tmp_path):
    new_store(seaweedfs)
    nowhere = S3Store("no-such-bucket", "", settings(seaweedfs.endpoint))
    refused(OPERATIONS[name], nowhere, tmp_path, RequestError, "no such bucket")


def test_a_key_that_may_only_read(seaweedfs, new_store, monkeypatch, tmp_path):
    store = new_store(seaweedfs, settings(seaweedfs.endpoint))
    store.put("a", b"content")
    for name, value in seaweedfs.reader.environment.items():
        monkeypatch.setenv(name, value)
    reader = open_store(store.url, settings(seaweedfs.endpoint))
    assert reader.read("a") == b"content"
    for name in ("put", "put in parts", "delete"):
        refused(OPERATIONS[name], reader, tmp_path, RequestError, "do not have the permission")
    assert store.read("a") == b"content"


def test_a_clock_that_is_wrong(store, operation, tmp_path):
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        refused(operation, store, tmp_path, RequestError, "clocks")


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("ExpiredToken", 400, "have expired"),
        ("ExpiredTokenException", 400, "have expired"),
        ("InvalidToken", 400, "session token"),
        ("AccessDenied", 403, "do not have the permission"),
        ("RequestTimeTooSkewed", 403, "clocks"),
        ("PermanentRedirect", 301, "does not speak S3"),
        ("AuthorizationHeaderMalformed", 400, "wrong region"),
        ("SomethingNew", 400, "SomethingNew"),
    ],
)
def test_error_codes_of_other_servers(through, proxy, operation, code, status, why, tmp_path):
    proxy.refuse(status, code)
    # Without a body, a response to HEAD has no code; only that to a GET has.
    refused(operation, through, tmp_path, RequestError, why)


@pytest.mark.parametrize(("fields", "kind"), [({"x-amz-request-id": "1"}, TransientError), ({}, RequestError)])
def test_a_404_without_a_reason_is_transient_only_from_a_server_of_s3(fields, kind):
    """Servers respond so while they start or stop; a retried pod must not mistake that for a wrong address."""
    answer = {"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404, "HTTPHeaders": fields}}
    with pytest.raises(kind), s3_errors("s3://bucket", "key"):
        raise ClientError(answer, "GetObject")


def test_no_server_at_the_endpoint(operation, tmp_path, new_store, seaweedfs):
    new_store(seaweedfs)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = S3Store("bucket", "", settings(f"http://127.0.0.1:{port}"))
    error = refused(operation, store, tmp_path, TransientError, "connection failed")
    assert error.exit_code == 75
    assert str(port) in error.what


def test_a_host_that_does_not_exist(operation, tmp_path, new_store, seaweedfs):
    new_store(seaweedfs)
    store = S3Store("bucket", "", settings("http://no-such-host.invalid", attempts=1))
    error = refused(operation, store, tmp_path, (RequestError, TransientError), "")
    assert "host name" in error.why
    assert "AWS_ENDPOINT_URL_S3" in error.fix


def test_a_server_that_does_not_speak_s3(operation, tmp_path, new_store, seaweedfs):
    new_store(seaweedfs)
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        store = S3Store("bucket", "", settings(f"http://127.0.0.1:{other.server_port}"))
        refused(operation, store, tmp_path, RequestError, "does not speak S3")
        other.shutdown()


def test_tls_to_a_server_without_it(server, store, operation, tmp_path):
    secure = open_store(store.url, settings(server.endpoint.replace("http:", "https:")))
    refused(operation, secure, tmp_path, RequestError, "does not speak TLS")


TRANSIENT = [Fault.ERROR, Fault.SLOW_DOWN, Fault.TOO_MANY, Fault.DROP, Fault.LOSE, Fault.TRUNCATE, Fault.RESET_DOWN]


@pytest.mark.parametrize("fault", TRANSIENT)
def test_transient_faults_are_retried_and_persistent_ones_reported(through, proxy, fault, operation, tmp_path):
    through.put("a", b"content")
    proxy.use(Faults.only(fault, most=ATTEMPTS - 1))
    operation(through, tmp_path / "there")
    assert proxy.counts[fault] == ATTEMPTS - 1
    if fault is Fault.TRUNCATE and operation is OPERATIONS["delete"]:
        return  # its response has nothing that could be missed
    proxy.use(Faults.only(fault))
    (tmp_path / "folder").mkdir()
    error = refused(operation, through, tmp_path / "folder", TransientError, "")
    assert error.exit_code == 75
    assert proxy.endpoint in error.what


def test_a_missing_response_times_out(through, proxy, tmp_path):
    hasty = open_store(through.url, settings(proxy.endpoint, timeout=0.2, attempts=2))
    proxy.use(Faults({Fault.DELAY: 1.0}, delay=1.0))
    refused(OPERATIONS["read"], hasty, tmp_path, TransientError, "ReadTimeoutError")


def test_pauses_grow_with_jitter(through, proxy, caplog, tmp_path):
    patient = open_store(through.url, settings(proxy.endpoint, attempts=12, first_pause=0.01, longest_pause=0.08))
    proxy.use(Faults.only(Fault.SLOW_DOWN))
    with caplog.at_level(logging.INFO, logger="phase2"):
        refused(OPERATIONS["list"], patient, tmp_path, TransientError, "SlowDown")
    pauses = [record.args[1] for record in caplog.records if "Trying again" in record.msg]
    bounds = [min(0.08, 0.01 * 2**k) for k in range(11)]
    assert len(pauses) == 11
    assert all(0 <= pause <= bound for pause, bound in zip(pauses, bounds, strict=True))
    assert any(pause > bounds[0] for pause in pauses)
    assert all(one != other for one, other in pairwise(pauses))


def test_a_bucket_created_later_is_found(server, store):
    late = S3Store("made-later", "", settings(server.endpoint))
    with pytest.raises(RequestError, match="no such bucket"):
        late.read("a")
    boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1").create_bucket(Bucket="made-later")
    with pytest.raises(ObjectMissingError):
        late.read("a")


def test_a_part_of_an_object_that_became_smaller_is_replaced_and_not_refused(store):
    key = store._full("a")
    store.put("a", bytes(1000))
    etag = store._requests.head(key)["ETag"]
    store.put("a", b"small")
    with pytest.raises(TransientError, match="was replaced while it was read"):
        store._requests.read(key, (100, 200), etag)


def test_a_range_that_an_object_does_not_have_is_a_condition_that_is_not_met():
    """As MinIO responds when an object becomes smaller between its own look at the condition and at the range."""
    response = {"Error": {"Code": "InvalidRange"}, "ResponseMetadata": {"HTTPStatusCode": 416}}
    with pytest.raises(ObjectExistsError), s3_errors("s3://bucket", "a"):
        raise ClientError(response, "GetObject")
