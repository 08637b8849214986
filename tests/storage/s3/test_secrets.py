"""Access keys appear in no message, log, traceback or output."""

import io
import logging
import os
import pickle
import socket
import subprocess
import sys
import traceback

import pytest

from phase2.errors import Phase2Error, RequestError
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.store import S3Store
from phase2.storage.urls import open_store
from phase2.testing.stores.faults import Fault, Faults
from phase2.testing.stores.flaky_proxy import flaky
from phase2.testing.stores.s3_servers import ACCESS_KEY, SECRET_KEY

WRONG = {
    "AWS_ACCESS_KEY_ID": "AKIACANARYCANARYCANA",
    "AWS_SECRET_ACCESS_KEY": "canary/secret+canary/secret+canary/secret",
    "AWS_SESSION_TOKEN": "canary-token-canary-token",
}
SECRETS = (*WRONG.values(), ACCESS_KEY, SECRET_KEY)
SIGNATURES = ("Signature=", "AWS4-HMAC")
TALKATIVE = ("", "phase2", "boto3", "botocore", "s3transfer", "urllib3")


@pytest.fixture
def log():
    """Everything that is logged at DEBUG."""
    handler = logging.StreamHandler(io.StringIO())
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield handler.stream
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def settings(endpoint):
    return S3Settings(endpoint=endpoint, region="us-east-1", path_style=True, attempts=2, first_pause=0.01)


def tell(error):
    """Return all texts of an error."""
    chain = "".join(traceback.format_exception(error))
    return f"{error} {error!r} {error.args} {vars(error)} {pickle.dumps(error)!r} {chain}"


def assert_silent(text):
    found = [secret for secret in SECRETS + SIGNATURES if secret in text]
    assert not found, text


def use(store, folder):
    """Run every operation; return the texts of their errors."""
    told = []
    for action in (
        lambda: store.put("a", b"content"),
        lambda: store.put("b", bytes((8 << 20) + 1), if_absent=True),
        lambda: store.get("a", folder / "a"),
        lambda: store.read("a"),
        lambda: store.read_range("b", 3, 9),
        lambda: [*store.list(), *store.folders()],
        lambda: store.head("a"),
        lambda: store.read("nothing"),
        lambda: store.delete("a"),
    ):
        try:
            action()
        except Phase2Error as error:
            told.append(tell(error))
    return told


def test_successful_requests_log_no_secret(server, new_store, log, tmp_path):
    store = new_store(server)
    log.truncate(0)  # the bucket was made by another client
    told = use(store, tmp_path)
    assert len(told) == 1
    assert_silent(f"{told} {log.getvalue()} {store!r} {store.url} {vars(store)} {S3Settings.from_environment()!r}")


def test_refused_keys_are_not_logged(server, new_store, monkeypatch, log, tmp_path):
    store = new_store(server)
    for names in (WRONG, ["AWS_SECRET_ACCESS_KEY"], ["AWS_ACCESS_KEY_ID"]):
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        for name in names:
            monkeypatch.setenv(name, WRONG[name])
        told = use(open_store(store.url), tmp_path)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        assert len(told) == 9
        assert_silent(f"{told} {log.getvalue()}")


def test_a_failing_network_logs_no_secret(seaweedfs, new_store, log, tmp_path):
    store = new_store(seaweedfs)
    with flaky(seaweedfs.endpoint) as proxy:
        for fault in Fault:
            proxy.use(Faults.only(fault))
            told = use(open_store(store.url, settings(proxy.endpoint)), tmp_path)
            assert told
            assert_silent(f"{told}")
    told = use(open_store(store.url, settings(closed_port())), tmp_path)
    assert len(told) == 9
    assert_silent(f"{told} {log.getvalue()}")


@pytest.mark.parametrize("debug", ["", "1"])
def test_commands_log_no_secret(server, new_store, tmp_path, debug):
    store = new_store(server)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    right = server.environment
    cases = [
        (right, store.url, 0),
        (right | WRONG, store.url, 2),
        (right | {"AWS_SECRET_ACCESS_KEY": WRONG["AWS_SECRET_ACCESS_KEY"]}, store.url, 2),
        (right | WRONG | {"AWS_ENDPOINT_URL_S3": server.endpoint.replace("http", "https")}, store.url, 2),
        (right | {"AWS_ENDPOINT_URL_S3": f"http://{ACCESS_KEY}:{SECRET_KEY}@127.0.0.1:1"}, store.url, 2),
        (right, f"s3://{ACCESS_KEY}:{SECRET_KEY}@bucket/runs", 2),
    ]
    for variables, url, code in cases:
        done = subprocess.run(
            [sys.executable, "-m", "phase2", "runs", "list", "--store", url],
            env=clean | variables | {"PHASE2_DEBUG": debug, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == code, done.stderr
        assert ("Traceback" in done.stderr) == bool(debug and code)
        assert_silent(done.stdout + done.stderr)


@pytest.mark.parametrize(
    "url",
    [
        "s3://{key}:{secret}@bucket/runs",
        "s3://{key}@bucket",
        "s3://bucket/runs?X-Amz-Credential={key}&X-Amz-Signature={secret}",
        "https://{key}:{secret}@host/bucket",
    ],
)
def test_an_address_with_keys_is_refused_and_not_repeated(url):
    with pytest.raises(RequestError) as caught:
        open_store(url.format(key=ACCESS_KEY, secret=SECRET_KEY), S3Settings())
    assert_silent(tell(caught.value))


@pytest.mark.parametrize("endpoint", ["http://{key}:{secret}@host:9000", "https://{key}@host", "{key}:{secret}@host"])
def test_an_endpoint_with_keys_is_refused_and_not_repeated(endpoint):
    text = endpoint.format(key=ACCESS_KEY, secret=SECRET_KEY)
    for make in (
        lambda: S3Settings(endpoint=text),
        lambda: S3Settings.from_environment({"AWS_ENDPOINT_URL_S3": text}),
    ):
        with pytest.raises(RequestError) as caught:
            make()
        assert_silent(tell(caught.value))


def test_a_store_can_be_named_before_there_are_keys(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    assert repr(S3Store("bucket", "runs", S3Settings())) == "S3Store('s3://bucket/runs')"
