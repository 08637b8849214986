"""Small HTTP(S) server with scripted responses: the sockets are real, the requests are recorded."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml


@dataclass
class Answer:
    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    breaks_off: bool = False


@dataclass
class ApiServer:
    """Server that returns its responses in order, and the last one repeatedly.

    Attributes:
        url: Its address.
        answers: The responses.
        requests: Requests received: method, path, headers, body.
    """

    url: str
    answers: list[Answer]
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    def kubeconfig(self, folder: Path, *, user: dict[str, Any] | None = None, **cluster: Any) -> Path:
        """Write a kubeconfig for this server."""
        file = folder / "kubeconfig"
        file.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "here",
                    "contexts": [
                        {"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "materials"}},
                        {"name": "there", "context": {"cluster": "c", "user": "u"}},
                    ],
                    "clusters": [{"name": "c", "cluster": {"server": self.url, **cluster}}],
                    "users": [{"name": "u", "user": user or {"token": "a-token"}}],
                }
            )
        )
        return file


class JsonHandler(BaseHTTPRequestHandler):
    """Silent handler of requests whose content is JSON."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        return

    def read_json(self) -> Any:
        """Return the content of the request; None if it has none."""
        length = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(length)) if length else None


@contextmanager
def serving(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[ApiServer]:
    """Run an API server for the duration of a block."""

    class Handler(JsonHandler):
        def _answer(self) -> None:
            body = self.read_json()
            api.requests.append(
                (self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            answer = api.answers.pop(0) if len(api.answers) > 1 else api.answers[0]
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content) if content else b"")
            if not answer.breaks_off:
                self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    with listening(Handler, tls=tls) as url:
        api = ApiServer(url, list(answers))
        yield api


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on a free loopback port for the duration of a block; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False  # a watch ends with the process
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
