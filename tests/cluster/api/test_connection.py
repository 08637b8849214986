"""Connection to the API server over real sockets: credentials, warnings, and network errors."""

import datetime as dt
import ssl
import sys

import pytest
import trustme
from tests.cluster.support.api_server import Answer, serving

from phase2.cluster.api import connection as connection_module
from phase2.cluster.api import kubeconfig, service_account
from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.api.kubeconfig import context_namespace
from phase2.cluster.backends.registry import CLUSTER_BACKENDS
from phase2.errors import RequestError, TransientError

JOBS = Answer(body={"kind": "JobList", "metadata": {}, "items": []})


def jobs(connection):
    return RunClient(connection, "materials", CLUSTER_BACKENDS["job"])


@pytest.fixture
def connect(monkeypatch, tmp_path):
    """Write a kubeconfig for a server and connect by it."""

    def open_connection(api, *, context=None, on_warning=lambda _: None, **kubeconfig):
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path, **kubeconfig)))
        return Connection.open(context, on_warning=on_warning)

    return open_connection


def test_the_token_of_the_kubeconfig_is_sent(connect):
    with serving(JOBS) as api:
        assert jobs(connect(api)).objects() == []
    (method, path, headers, _), *_ = api.requests
    assert (method, path.partition("?")[0]) == ("GET", "/apis/batch/v1/namespaces/materials/jobs")
    assert headers["authorization"].lower() == "bearer a-token"


def test_lists_are_read_page_by_page(connect):
    first = Answer(body={"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]})
    second = Answer(body={"metadata": {}, "items": [{"metadata": {"name": "b"}}]})
    with serving(first, second) as api:
        assert [job["metadata"]["name"] for job in jobs(connect(api)).objects()] == [
            "a",
            "b",
        ]
    assert "continue=more" in api.requests[1][1]


def test_warnings_of_the_server_reach_the_callback(connect):
    warning = r'299 - "would violate PodSecurity \"restricted:latest\": runAsNonRoot != true"'
    warnings: list[str] = []
    with serving(Answer(201, {"kind": "Job"}, {"Warning": warning})) as api:
        connection = connect(api, on_warning=warnings.append)
        jobs(connection).create({"metadata": {"name": "a"}})
    assert set(warnings) == {'would violate PodSecurity "restricted:latest": runAsNonRoot != true'}


def test_an_unreachable_server_is_a_transient_error(connect):
    with serving(JOBS) as api:
        connection = connect(api)
    with pytest.raises(TransientError, match=r"cannot be reached.*[Cc]onnection refused"):
        jobs(connection).objects()


def test_an_unknown_host_name_is_reported(connect):
    with serving(JOBS) as api:
        api.url = "http://no-such-host.invalid:6443"
        connection = connect(api)
    with pytest.raises(TransientError, match=r"no-such-host\.invalid:6443 cannot be reached"):
        jobs(connection).objects()


def test_a_truncated_response_is_a_transient_error(connect):
    with serving(Answer(body={"items": []}, breaks_off=True)) as api, pytest.raises(TransientError):
        jobs(connect(api)).objects()


def test_a_server_without_tls_is_a_request_error(connect):
    with serving(JOBS) as api:
        api.url = api.url.replace("http:", "https:")
        with pytest.raises(RequestError, match="No trusted connection"):
            jobs(connect(api)).objects()


def certified(**dates) -> tuple[ssl.SSLContext, bytes]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", **dates).configure_cert(context)
    return context, authority.cert_pem.bytes()


def test_a_certificate_of_the_authority_in_the_kubeconfig_is_trusted(connect, tmp_path):
    tls, authority = certified()
    (tmp_path / "ca.crt").write_bytes(authority)
    with serving(JOBS, tls=tls) as api:
        connection = connect(api, **{"certificate-authority": str(tmp_path / "ca.crt")})
        assert jobs(connection).objects() == []


def test_a_certificate_of_another_authority_is_not_trusted(connect, tmp_path):
    tls, _ = certified()
    (tmp_path / "ca.crt").write_bytes(certified()[1])
    with serving(JOBS, tls=tls) as api:
        connection = connect(api, **{"certificate-authority": str(tmp_path / "ca.crt")})
        with pytest.raises(RequestError, match=r"No trusted connection.*certificate verify failed"):
            jobs(connection).objects()


def test_an_expired_certificate_is_reported(connect, tmp_path):
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    tls, authority = certified(not_before=past, not_after=past + dt.timedelta(days=1))
    (tmp_path / "ca.crt").write_bytes(authority)
    with serving(JOBS, tls=tls) as api:
        connection = connect(api, **{"certificate-authority": str(tmp_path / "ca.crt")})
        with pytest.raises(RequestError, match="A certificate has expired"):
            jobs(connection).objects()


def test_an_unknown_context_is_reported(connect):
    with serving(JOBS) as api, pytest.raises(RequestError, match=r"cannot be used.*nowhere"):
        connect(api, context="nowhere")


def test_a_missing_kubeconfig_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(RequestError, match=r"No cluster is configured.*none"):
        Connection.open()


@pytest.mark.parametrize("content", ["", "[", "a: b", "contexts: []\ncurrent-context: x\nclusters: []\nusers: []"])
def test_a_damaged_kubeconfig_is_reported(monkeypatch, tmp_path, content):
    file = tmp_path / "config"
    file.write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(file))
    with pytest.raises(RequestError, match="cannot be used"):
        Connection.open()


def test_the_namespace_is_that_of_the_context(monkeypatch, tmp_path):
    with serving(JOBS) as api:
        monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/none:{api.kubeconfig(tmp_path)}")
    assert context_namespace() == "materials"
    assert context_namespace("there") == "phase2"
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert context_namespace() == "phase2"


@pytest.fixture
def pod(monkeypatch, tmp_path):
    """Files and environment of a pod with a service account, in an image without the official client."""
    token = tmp_path / "token"
    token.write_text("first\n")
    (tmp_path / "namespace").write_text("materials")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    for module in (kubeconfig, connection_module, service_account):
        monkeypatch.setattr(module, "POD_TOKEN", token)
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    return token


def test_in_a_pod_its_service_account_is_used_and_its_token_read_anew(pod, monkeypatch):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(pod.with_name("ca.crt"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serving(JOBS, tls=tls) as api:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", api.url.rpartition(":")[2])
        connection = Connection.open()
        assert jobs(connection).objects() == []
        pod.write_text("second")
        assert jobs(connection).objects() == []
    assert [headers["authorization"] for _, _, headers, _ in api.requests] == ["Bearer first", "Bearer second"]
    assert context_namespace() == "materials"


def test_in_a_pod_another_authority_is_not_trusted(pod, monkeypatch):
    trustme.CA().cert_pem.write_to_path(pod.with_name("ca.crt"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with serving(JOBS, tls=tls) as api:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", api.url.rpartition(":")[2])
        with pytest.raises(RequestError, match="No trusted connection"):
            jobs(Connection.open()).objects()


def test_a_pod_without_what_it_needs_says_so(pod, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(RequestError, match=r"ca\.crt cannot be used"):
        Connection.open()
