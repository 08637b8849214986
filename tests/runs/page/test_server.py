"""The server of a live page: a closed set of files on the loopback interface."""

import http.client
import json
import shutil
import socket
import threading

import pytest

from phase2.errors import TransientError
from phase2.runs.keys import folder_of
from phase2.runs.page.live import live_page
from phase2.runs.page.server import make_server

REPORT = {"report.html": b"<title>A report</title>"}


@pytest.fixture
def live(store, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    return live_page(store, 0.05)


@pytest.fixture
def server(live):
    live.refresh()
    found = make_server(live, 0)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


@pytest.fixture
def ask(server):
    def asked(path, method="GET", host=None):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"localhost:{server.server_port}")
        connection.endheaders()
        response = connection.getresponse()
        return response, response.read()

    return asked


def test_the_page_and_its_files_are_shown(finish, live, ask):
    finish(1)
    live.refresh()
    for path in ("/", "/index.html"):
        response, content = ask(path)
        assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert response.headers["Cache-Control"] == "no-store"
        assert b'"live":0.05' in content
    for name in live.built.files:
        response, content = ask(f"/{name}")
        assert (response.status, response.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
        assert "immutable" in response.headers["Cache-Control"]
    response, content = ask("/", method="HEAD")
    assert (response.status, content) == (200, b"")
    assert int(response.headers["Content-Length"]) > 1000


@pytest.mark.parametrize(
    "path",
    [
        "/state.json", "/../state.json", "/%2e%2e/state.json", "//etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/data/",
        "/data/../index.html", "/runs/../../etc/passwd", "/runs/multitask_cgcnn/none/report.html",
        "/runs/multitask_cgcnn/run_20260101T000001Z_0001/best.pt", "/curves/%00.js", "/\\index.html",
    ],
)  # fmt: skip
def test_nothing_else_is_shown(finish, live, ask, path):
    finish(1)
    live.refresh()
    response, content = ask(path)
    assert response.status == 404
    assert b"root:" not in content


def test_reports_of_the_runs_are_shown_in_a_sandbox(finish, live, ask):
    run, bare = finish(1, files=REPORT), finish(2)
    live.refresh()
    response, content = ask(f"/runs/{run.family}/{run.name}/report.html")
    assert (response.status, content) == (200, REPORT["report.html"])
    assert response.headers["Content-Security-Policy"].startswith("sandbox ")
    assert "allow-same-origin" not in response.headers["Content-Security-Policy"]
    assert ask(f"/runs/{bare.family}/{bare.name}/report.html")[0].status == 404


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:80", "127.0.0.1.evil.example.com", ""])
def test_a_page_of_another_name_reads_nothing(ask, host):
    assert ask("/", host=host or " ")[0].status == 421


def test_only_this_machine_reaches_it(server):
    assert server.server_address[0] == "127.0.0.1"
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.2", server.server_port), 5):
        pass


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(ask, method):
    assert ask("/", method=method)[0].status == 501


def test_an_open_page_is_told_what_changed(finish, live, ask):
    before = json.loads(ask("/live")[1])
    finish(1)
    live.refresh()
    after = json.loads(ask("/live")[1])
    assert before["problem"] == after["problem"] == ""
    assert after["data"] != before["data"]
    assert ask(f"/{after['data']}")[0].status == 200


def test_a_store_that_does_not_answer_leaves_the_page_as_it_was(finish, live, ask):
    finish(1)
    live.refresh()
    shown = json.loads(ask("/live")[1])["data"]

    def fail():
        raise TransientError("The store does not answer.")

    built, live.build = live.build, fail
    finish(2)
    live.refresh()
    assert json.loads(ask("/live")[1]) == {"data": shown, "problem": "The store does not answer."}
    assert ask("/")[0].status == 200
    live.build = built
    live.refresh()
    assert json.loads(ask("/live")[1])["problem"] == ""


def test_a_page_is_built_again_only_where_a_run_changed(begin, live):
    run = begin(epochs=1)
    built = []

    def build(build=live.build):
        built.append(build())
        return built[-1]

    live.build = build
    live.refresh()
    live.refresh()
    assert len(built) == 1
    with run.lock():
        live.refresh()
        live.refresh()
        assert len(built) == 2
        assert built[1].data != built[0].data  # it runs
    live.refresh()
    assert built[2].data == built[0].data


@pytest.mark.parametrize("cleared", ["index.html", "curves", "*"])
def test_a_page_whose_cache_was_cleared_is_built_again(finish, live, ask, cleared):
    finish(1)
    live.refresh()
    folder = folder_of(live.page)
    for path in folder.glob(cleared):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    live.refresh()
    for name in ("", *live.built.files):
        assert ask(f"/{name}")[0].status == 200


def test_the_page_is_built_again_by_the_clock(finish, live):
    live.refresh()
    stop = threading.Event()
    keeper = threading.Thread(target=live.keep_fresh, args=(0.02, stop))
    keeper.start()
    finish(1)
    for _ in range(500):
        if live.built.runs == 1:
            break
        stop.wait(0.02)
    stop.set()
    keeper.join()
    assert live.built.runs == 1
