"""Objects by their presigned addresses: resumed, and never named in a message."""

import socket

import pytest
from tests.cluster.support.api_server import Answer, serving

from phase2.errors import RequestError, TransientError
from phase2.storage.http import read_from, why_unreachable

QUERY = "?X-Amz-Signature=secret"


def test_a_download_starts_where_it_is_told_to():
    with serving(Answer(206, b"world")) as server:
        assert b"".join(read_from(f"{server.url}/file{QUERY}", 6)) == b"world"
        assert server.requests[0][2]["range"] == "bytes=6-"


@pytest.mark.parametrize(
    ("answer", "start", "words"),
    [
        (Answer(403), 0, "the address has expired"),
        (Answer(503), 0, "responds 503"),
        (Answer(200, b"all of it"), 6, "ignores ranges"),
        (Answer(200, b"cut", breaks_off=True), 0, "does not answer"),
    ],
)
def test_what_goes_wrong_may_pass_and_names_no_address(answer, start, words):
    with serving(answer) as server, pytest.raises(TransientError) as error:
        list(read_from(f"{server.url}/file{QUERY}", start))
    assert words in str(error.value)
    assert "secret" not in str(error.value)
    assert "/file" not in str(error.value)


def test_a_server_that_is_not_there_is_unreachable():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/file{QUERY}"
    assert "does not answer" in (why_unreachable(address) or "")
    with serving(Answer(200, b"here")) as server:
        assert why_unreachable(f"{server.url}/file{QUERY}") is None


def test_only_http_is_read():
    with pytest.raises(RequestError):
        list(read_from("file:///etc/hostname"))
