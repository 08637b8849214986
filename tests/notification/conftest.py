"""A server that keeps what is posted to it, and one that hangs."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Inbox:
    """What was posted.

    Attributes:
        port: Port of the server on this machine.
        posts: Each with its path, headers and JSON.
        status: Status that it answers.
    """

    def __init__(self):
        self.posts, self.status, self.port = [], 200, 0

    @property
    def messages(self):
        return [post["json"] for post in self.posts]

    @property
    def url(self):
        return f"json://user:s3cret@127.0.0.1:{self.port}/hook/token-of-mine"


@pytest.fixture
def inbox():
    found = Inbox()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self):
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.posts.append({"path": self.path, "headers": dict(self.headers), "json": content})
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def hanging():
    """The address of a service that takes messages and never answers."""
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield f"json://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_other_addresses(monkeypatch, tmp_path_factory):
    for name in ("PHASE2_NOTIFY", "PHASE2_NOTIFY_ON", "PHASE2_STORE", "PHASE2_RUN_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def cached_graphs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield
