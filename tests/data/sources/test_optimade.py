"""Structures of an OPTIMADE server: all pages once, whole or not at all, against a real HTTP server."""

import threading

import numpy as np
import pytest
from tests.data.sources.optimade_server import OptimadeServer

from phase2.data.sources import optimade_pages
from phase2.data.sources.optimade import OptimadeSource
from phase2.data.sources.registry import fetch_source, open_source
from phase2.errors import DataError, RequestError, TransientError


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(optimade_pages, "FIRST_PAUSE", 0.01)
    with OptimadeServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def source(server, path="/?page_limit=3", most="", **options):
    return OptimadeSource(f"optimade:{server.url}{path}{most}", **options)


def test_all_pages_become_records_once(server, tmp_path):
    found = source(server, cache=tmp_path)
    parsed = [found.parse(raw) for raw in found.records()]
    assert [one.crystal.id for one in parsed] == [f"mp-{k}" for k in range(7)]
    places: list[list[float]] = [[0, 0, 0], [0.5, 0.5, 0.5]]
    np.testing.assert_allclose(parsed[0].crystal.frac, places)
    assert [one.targets[1] for one in parsed] == [k / 2 for k in range(7)]
    assert len(server.asked) == 3
    assert server.asked[0] == "/v1/structures?page_limit=3"
    assert source(server, cache=tmp_path).fingerprint == found.fingerprint
    assert len(server.asked) == 3  # kept
    assert fetch_source(f"optimade:{server.url}/?page_limit=3", tmp_path) == found.path


@pytest.mark.parametrize("path", ["/v1/structures?page_limit=9", "/v1?page_limit=9", "/v1/?page_limit=9"])
def test_addresses_of_the_endpoint(server, tmp_path, path):
    assert len(list(source(server, path, cache=tmp_path).records())) == 7
    assert server.asked == ["/v1/structures?page_limit=9"]


def test_a_cap_ends_the_fetch_and_says_so(server, tmp_path, caplog):
    assert len(list(source(server, most="#4", cache=tmp_path).records())) == 4
    assert "only the first 4 of 7 structures" in caplog.text


def test_a_page_that_fails_is_fetched_again(server, tmp_path):
    server.faults = [(503, b""), (429, b""), (500, b"")]
    assert len(list(source(server, cache=tmp_path).records())) == 7


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((503, b""), TransientError, "5 attempts"),
        ((400, {"errors": [{"detail": "no such filter"}]}), DataError, "no such filter"),
        ((200, {"errors": [{"detail": "not today"}]}), DataError, "not today"),
        ((200, {"hello": 1}), DataError, "keys hello"),
        ((200, [1]), DataError, "no structures of OPTIMADE"),
        ((200, b"<html>"), DataError, "no valid JSON"),
        ((200, {"data": [5]}), DataError, "An entry is 5"),
    ],
)
def test_other_answers_leave_nothing(server, tmp_path, answer, kind, said):
    server.faults = [answer] * 5
    with pytest.raises(kind, match=said):
        source(server, cache=tmp_path).fetch()
    assert not list((tmp_path / "downloads").glob("optimade*"))
    assert not list((tmp_path / "downloads").glob("*.part"))


@pytest.mark.parametrize(
    "link", ["http://127.0.0.2/v1/structures", "file:///etc/passwd", "/v1/structures?page_limit=3"]
)
def test_a_next_page_elsewhere_or_again_is_refused(server, tmp_path, link):
    server.next = link
    with pytest.raises(DataError, match=r"another server|again"):
        source(server, cache=tmp_path).fetch()


@pytest.mark.parametrize("name", ["optimade:", "optimade:mp", "optimade:ftp://host/v1", "optimade:http://host#many"])
def test_what_is_no_address_is_refused(name):
    with pytest.raises(RequestError, match="no address"):
        open_source(name)
