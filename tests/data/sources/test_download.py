"""Downloads against a real HTTP server that fails on purpose."""

import hashlib
import http.server
import multiprocessing
import random
import socket
import threading
from pathlib import Path

import pytest

from phase2.data.sources.download import RemoteFile, fetch
from phase2.data.sources.jarvis import DFT_3D, DFT_3D_MEMBER, JarvisSource
from phase2.errors import DataError, RequestError, TransientError

CONTENT = random.Random(0).randbytes(1 << 20)  # several blocks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; each request takes the next entry of ``script``, and the last entry stays."""

    daemon_threads = True

    def __init__(self, script, content=CONTENT):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.content = content
        self.ranges = []  # what each request asked for

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/file"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        asked = self.headers.get("Range")
        step = self.server.script[0] if len(self.server.script) == 1 else self.server.script.pop(0)
        self.server.ranges.append(asked)
        getattr(self, step)(int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0)

    def whole(self, start):
        self._send(start, len(self.server.content))

    def cut(self, start):
        self._send(start, (start + len(self.server.content)) // 2)

    def nothing(self, start):
        self._send(start, start)

    def rangeless(self, _start):
        self._send(0, len(self.server.content))

    def elsewhere(self, start):
        self._send(start, len(self.server.content), claimed=0)

    def error500(self, _start):
        self.send_error(500)

    def error503(self, _start):
        self.send_error(503)

    def error429(self, _start):
        self.send_error(429)

    def error404(self, _start):
        self.send_error(404)

    def redirect(self, _start):
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def _send(self, start, end, claimed=None):
        content = self.server.content
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            first = start if claimed is None else claimed
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[start:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers = []

    def start(*script, content=CONTENT):
        server = Server(script, content)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def remote(url):
    return RemoteFile(url, "file.bin", len(CONTENT), SHA256)


def left_behind(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_the_file_arrives_once(serve, tmp_path):
    server = serve("whole")
    seen = []
    folder = tmp_path / "new" / "folder"
    path = fetch(remote(server.url), folder, progress=lambda done, total: seen.append((done, total)))
    assert path == folder / "file.bin"
    assert path.read_bytes() == CONTENT
    assert left_behind(folder) == {"file.bin"}
    assert seen == sorted(seen)
    assert len(seen) > 2
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert fetch(remote(server.url), folder) == path
    assert server.ranges == [None]


@pytest.mark.parametrize("first", ["error500", "error503", "error429", "nothing"])
def test_transient_failures_are_retried(serve, tmp_path, first):
    server = serve(first, first, "whole")
    assert fetch(remote(server.url), tmp_path, backoff=0).read_bytes() == CONTENT
    assert len(server.ranges) == 3


def test_a_cut_transfer_asks_for_the_rest_only(serve, tmp_path):
    server = serve("cut", "cut", "whole")
    seen = []
    path = fetch(remote(server.url), tmp_path, backoff=0, progress=lambda done, _: seen.append(done))
    assert path.read_bytes() == CONTENT
    size = len(CONTENT)
    assert server.ranges == [None, f"bytes={size // 2}-", f"bytes={size * 3 // 4}-"]
    assert seen == sorted(seen)


def test_a_later_process_resumes_the_download(serve, tmp_path):
    server = serve("cut", "error500")
    with pytest.raises(TransientError):
        fetch(remote(server.url), tmp_path, backoff=0, attempts=2)
    assert left_behind(tmp_path) == {"file.bin.part"}
    again = serve("whole")
    assert fetch(remote(again.url), tmp_path).read_bytes() == CONTENT
    assert again.ranges == [f"bytes={len(CONTENT) // 2}-"]
    assert left_behind(tmp_path) == {"file.bin"}


def test_a_server_that_ignores_the_range(serve, tmp_path):
    server = serve("cut", "rangeless")
    assert fetch(remote(server.url), tmp_path, backoff=0).read_bytes() == CONTENT
    assert len(server.ranges) == 2


def test_another_range_than_requested_is_discarded(serve, tmp_path):
    server = serve("cut", "elsewhere", "whole")
    assert fetch(remote(server.url), tmp_path, backoff=0).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-", None]


def test_redirects_keep_the_range(serve, tmp_path):
    server = serve("cut", "redirect", "whole")
    assert fetch(remote(server.url), tmp_path, backoff=0).read_bytes() == CONTENT
    assert server.ranges[1:] == [f"bytes={len(CONTENT) // 2}-"] * 2


def test_progress_counts_as_success(serve, tmp_path):
    server = serve(*["cut"] * 8, "whole")
    assert fetch(remote(server.url), tmp_path, backoff=0, attempts=2).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", b"<html>" + CONTENT])
def test_another_file_is_deleted_and_refused(serve, tmp_path, content):
    server = serve("whole", content=content)
    with pytest.raises(DataError, match="SHA-256") as caught:
        fetch(remote(server.url), tmp_path)
    assert SHA256 in str(caught.value)
    assert left_behind(tmp_path) == set()


def test_a_shorter_file_is_no_whole_file(serve, tmp_path):
    server = serve("whole", content=CONTENT[:1000])
    with pytest.raises(TransientError, match="ended after 1,000 of"):
        fetch(remote(server.url), tmp_path, backoff=0, attempts=2)


def test_damage_on_disk_is_fetched_anew(serve, tmp_path):
    server = serve("whole")
    (tmp_path / "file.bin").write_bytes(CONTENT[:-1])
    assert fetch(remote(server.url), tmp_path).read_bytes() == CONTENT


def test_a_file_put_there_by_hand_needs_no_network(tmp_path):
    (tmp_path / "file.bin").write_bytes(CONTENT)
    assert fetch(remote("http://127.0.0.1:1/"), tmp_path).exists()


def test_the_final_error_says_what_to_do(serve, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/file"  # bound, but nobody listens
        with pytest.raises(TransientError) as caught:
            fetch(remote(url), tmp_path, attempts=3, backoff=0)
    assert caught.value.exit_code == 75
    for part in (url, "3 attempts", str(tmp_path), "file.bin", SHA256):
        assert part in str(caught.value)
    server = serve("error503")
    with pytest.raises(TransientError, match="503"):
        fetch(remote(server.url), tmp_path, attempts=3, backoff=0)
    assert len(server.ranges) == 3


def test_a_permanent_error_is_not_retried(serve, tmp_path):
    server = serve("error404")
    with pytest.raises(DataError, match="404") as caught:
        fetch(remote(server.url), tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert len(server.ranges) == 1


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "here"])
def test_other_schemes_than_http_are_refused(tmp_path, url):
    with pytest.raises(RequestError, match="not http"):
        fetch(remote(url), tmp_path)


def test_two_processes_fetch_once(serve, tmp_path):
    server = serve("whole")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=fetch, args=(remote(server.url), tmp_path)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert server.ranges == [None]


class TestJarvis:
    @staticmethod
    def archive(member):
        import io
        import json
        import zipfile

        atoms = {"lattice_mat": [[4, 0, 0], [0, 4, 0], [0, 0, 4]], "coords": [[0, 0, 0]], "elements": ["Po"]}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(member, json.dumps([{"jid": "JVASP-1", "atoms": atoms, "ehull": 0.5}]))
        return buffer.getvalue()

    def source(self, serve, cache, member):
        content = self.archive(member)
        server = serve("whole", content=content)
        file = RemoteFile(server.url, "jdft.zip", len(content), hashlib.sha256(content).hexdigest())
        return server, JarvisSource(cache, remote=file)

    def test_records_come_straight_from_the_web(self, serve, tmp_path):
        server, source = self.source(serve, tmp_path, DFT_3D_MEMBER)
        assert not server.ranges
        (raw,) = source.records()
        assert source.parse(raw).crystal.symbols == ("Po",)
        assert source.path.exists()
        list(source.records())
        assert server.ranges == [None]

    def test_an_archive_without_the_file(self, serve, tmp_path):
        _, source = self.source(serve, tmp_path, "another.json")
        with pytest.raises(DataError, match=DFT_3D_MEMBER):
            list(source.records())

    def test_the_published_checksums_are_whole(self):
        assert len(DFT_3D.sha256) == 64
        assert DFT_3D.size == 40_811_489
        assert JarvisSource().fingerprint == DFT_3D.sha256
