"""An HTTP server of a live page, on the loopback interface alone: the standard library's, with one handler."""

from __future__ import annotations

import mimetypes
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from phase2.errors import Phase2Error
from phase2.runs.page.build import INDEX
from phase2.runs.page.live import LIVE, RUNS, LivePage

LOOPBACK = "127.0.0.1"
_NAMES = frozenset({LOOPBACK, "localhost"})
_CACHED = "private, max-age=31536000, immutable"
# A report comes from the store, whose writers are not this page's: it may run its scripts, and reach nothing of ours.
_SANDBOX = "sandbox allow-scripts allow-popups allow-downloads allow-modals"


def make_server(page: LivePage, port: int) -> ThreadingHTTPServer:
    """Return a server of a page on the loopback interface; ``serve_forever`` starts it.

    Args:
        page: The page.
        port: Port; 0 takes any.

    Raises:
        OSError: The port is taken.
    """
    return _Server(page, port)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page: LivePage, port: int) -> None:
        self.page = page
        super().__init__((LOOPBACK, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "phase2"
    sys_version = ""
    timeout = 30  # seconds that a client may take for a request

    def do_GET(self) -> None:
        """Answer with what is shown under the path."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer without the content."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: requests are those of one reader."""

    def _answer(self, *, with_body: bool) -> None:
        # A page of another site whose name was made to lead here must not read what is shown here.
        if self.headers.get("Host", "").partition(":")[0] not in _NAMES:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "Ask for localhost")
            return
        path = unquote(urlsplit(self.path).path).removeprefix("/") or INDEX
        try:
            content = self.server.page.content(path)
        except Phase2Error as error:
            self.send_error(HTTPStatus.BAD_GATEWAY, "The store does not answer", error.what)
            return
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND, "Not part of this page")
            return
        self._send(path, content, with_body=with_body)

    def _send(self, path: str, content: bytes, *, with_body: bool) -> None:
        kind = "application/json" if path == LIVE else mimetypes.guess_type(path)[0] or "application/octet-stream"
        is_named = not path.startswith(RUNS) and path not in {LIVE, INDEX}  # after its content
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", _CACHED if is_named else "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        if path.startswith(RUNS):
            self.send_header("Content-Security-Policy", _SANDBOX)
        self.end_headers()
        if with_body:
            self.wfile.write(content)
