"""Building the page: whole or not at all, nothing of others touched, and again only where something changed."""

import json
import re
from datetime import timedelta

import pytest
from tests.runs.page.conftest import HANDED_ON, name_of

from phase2.errors import RequestError
from phase2.runs.page.build import INDEX, build_page
from phase2.runs.page.state import STATE
from phase2.runs.publish.publish import publish_run
from phase2.storage.s3.store import S3Store
from phase2.storage.urls import open_store
from phase2.testing.stores.watched_store import Killed, KillingStore, WatchedStore

AT_ONCE = timedelta(0)


def place_of(page):
    """What the page's own scripts are told: the files beside it."""
    found = re.search(r'<script type="application/json" id="data-page">(.*?)</script>', page.read(INDEX).decode())
    assert found
    return json.loads(found[1])


def shown(page):
    """Load all that the page loads; return its runs, with their curves."""
    place = place_of(page)
    assert page.read(place["plotly"]).startswith(b"/**")
    data = json.loads(page.read(place["runs"]).decode().removeprefix("runsPage.runs(").removesuffix(");\n"))
    runs = [dict(zip(data["fields"], row, strict=True)) for row in data["runs"]]
    for run in runs:
        if run["curves"]:
            assert page.read(run["curves"]).startswith(f'runsPage.curves("{run["prefix"]}",'.encode())
    return {run["id"]: run for run in runs}


def files_of(page):
    return {info.key for info in page.list()}


def test_a_page_is_built_and_built_again_only_when_something_changed(finish, store, out):
    finish(1)
    finish(2)
    first = build_page(store, out)
    assert (first.runs, first.read, first.changed, first.unreadable) == (2, 2, True, ())
    assert list(shown(out)) == ["0002", "0001"]

    watched, page = WatchedStore(store), WatchedStore(out)
    second = build_page(watched, page)
    assert (second.runs, second.read, second.changed) == (2, 0, False)
    assert (watched.reads, watched.changes, page.changes) == ([], [], [])

    finish(3)
    third = build_page(store, out)
    assert (third.read, third.changed) == (1, True)
    assert len(shown(out)) == 3


def test_nothing_is_written_to_the_store(finish, store, out):
    finish(1)
    build_page(WatchedStore(store, read_only=True), out)
    assert shown(out)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_build_that_is_killed_at_any_change_leaves_a_whole_page(finish, store, tmp_path, after):
    finish(1)
    pages = [open_store(str(tmp_path / f"page{k}")) for k in range(10)]
    for page in pages:
        build_page(store, page, kept_for=AT_ONCE)
    finish(2)
    seen = []
    for k, page in enumerate(pages, start=1):
        try:
            build_page(store, KillingStore(page, k, after=after), kept_for=AT_ONCE)
        except Killed:
            seen.append(set(shown(page)))
        build_page(store, page, kept_for=AT_ONCE)
        assert set(shown(page)) == {"0001", "0002"}
    assert len(seen) == 5  # curves, runs, index, state, and the runs of before
    assert sorted(map(len, seen)) == ([1, 1, 2, 2, 2] if after else [1, 1, 1, 2, 2])


@pytest.mark.parametrize(
    "damage",
    [b"", b"{}", b"0" * 64 + b"\n{}", b"\xff\x00"],
    ids=["empty", "no digest", "wrong digest", "no text"],
)
def test_a_damaged_state_is_rebuilt(finish, store, out, damage):
    finish(1)
    build_page(store, out)
    out.put(STATE, damage)
    again = build_page(store, out)
    assert (again.read, again.changed) == (1, False)
    assert build_page(store, out).read == 0


def test_a_state_of_another_store_is_not_believed(finish, make_run, store, out, tmp_path):
    finish(1)
    build_page(store, out)
    make_run(tmp_path / "others", name_of(1), files=HANDED_ON, score=0.25)
    build_page(open_store(str(tmp_path / "others")), out)
    assert shown(out)["0001"]["score"] == 0.25


def test_a_state_with_numbers_out_of_range_is_rebuilt(finish, store, out):
    import hashlib

    finish(1)
    build_page(store, out)
    content = json.loads(out.read(STATE).partition(b"\n")[2])
    content["settings"]["common"] = [[0, 10_000]]
    text = json.dumps(content).encode()
    out.put(STATE, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    assert build_page(store, out).read == 1


def test_files_of_earlier_pages_go_and_those_of_others_stay(finish, store, out):
    finish(1)
    out.put("notes.txt", b"mine")
    out.put("data/mine.csv", b"mine")
    build_page(store, out, kept_for=AT_ONCE)
    old = place_of(out)["runs"]
    finish(2)
    build_page(store, out, kept_for=AT_ONCE)
    assert old not in files_of(out)
    assert {"notes.txt", "data/mine.csv"} <= files_of(out)
    assert len(files_of(out)) == 2 + 6  # index, state, runs, Plotly, and the curves of both


def test_files_of_the_page_before_stay_while_somebody_may_have_it_open(finish, store, out):
    run = finish(1)
    build_page(store, out, kept_for=AT_ONCE)
    curves = shown(out)["0001"]["curves"]
    run.manifest.unlink()
    run.run_config.unlink()
    build_page(store, out, kept_for=AT_ONCE)
    assert curves in files_of(out)
    build_page(store, out, kept_for=AT_ONCE)
    assert curves not in files_of(out)


def test_a_young_file_of_another_builder_stays(finish, store, out):
    finish(1)
    young = "curves/" + "0" * 20 + ".js"
    out.put(young, b"of another process")
    build_page(store, out)
    assert young in files_of(out)


def test_the_store_itself_is_no_place_for_the_page(finish, store):
    finish(1)
    with pytest.raises(RequestError, match="cannot be written") as refused:
        build_page(store, open_store(store.url))
    assert f"{store.url}/page" in str(refused.value)


def test_a_page_of_somebody_else_is_not_overwritten(finish, store, out):
    finish(1)
    out.put(INDEX, b"<title>My thesis</title>")
    with pytest.raises(RequestError, match="another page"):
        build_page(store, out)
    assert files_of(out) == {INDEX}


def test_a_store_without_runs_has_a_page(store, out):
    assert build_page(store, out).runs == 0
    assert shown(out) == {}


def test_a_page_in_its_own_store_is_no_run(finish, store):
    finish(1)
    page = open_store(f"{store.url}/page")
    assert build_page(store, page).runs == 1
    assert build_page(store, page).changed is False
    assert place_of(page)["reports"] == "../"


def test_links_lead_to_the_store_from_wherever_the_page_is(finish, store, tmp_path):
    finish(1)
    for folder, expected in (("page", "../models/"), ("a/b c", "../../models/")):
        page = open_store(str(tmp_path / folder))
        build_page(store, page)
        assert place_of(page)["reports"] == expected
    build_page(store, page, reports="https://runs.example.com/")
    assert place_of(page)["reports"] == "https://runs.example.com/"


HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m{{7*7}}"


def test_hostile_text_of_a_run_is_text(finish, make_run, models, store, out, data):
    named = make_run(models, "run_20260101T000009Z_a'b", files=HANDED_ON)
    assert named.path.is_dir()
    finish(1, data=data.model_copy(update={"source": HOSTILE}))
    build_page(store, out)
    content = out.read(place_of(out)["runs"]).decode()
    assert not {"<", ">", "\u202e", "\x1b"} & set(content)
    assert "<img" not in out.read(INDEX).decode()
    assert shown(out)["0001"]["source"].startswith("</script><img src=x onerror=alert(1)>\\u202e")


def test_the_size_of_a_run_without_a_manifest_is_not_nothing(finish, begin, store, out):
    finish(1)
    unfinished = begin()
    build_page(store, out)
    sizes = {name: run["size"] for name, run in shown(out).items()}
    assert sizes[unfinished.run_id] is None
    assert sizes["0001"] > 0


def test_keys_in_a_command_are_hidden(finish, store, out):
    finish(1, command=("phase2", "train", "--data", "https://me:secret@host/a.json"))
    build_page(store, out)
    assert b"secret" not in b"".join(out.read(name) for name in files_of(out) if name.startswith("data/"))


class TestInABucket:
    @pytest.fixture
    def bucket(self, server, new_store):
        return new_store(server)

    def test_it_is_published_beside_its_runs(self, finish, bucket):
        for i in (1, 2):
            publish_run(bucket, finish(i))
        before = {info.key for info in bucket.list()}
        page = open_store(f"{bucket.url}/page", settings=bucket._requests.settings)
        build_page(bucket, page)
        assert set(shown(page)) == {"0001", "0002"}
        assert place_of(page)["reports"] == "../"
        assert {key for key in {info.key for info in bucket.list()} - before if not key.startswith("page/")} == set()
        again = build_page(WatchedStore(bucket, read_only=True), WatchedStore(page, read_only=True))
        assert (again.read, again.changed) == (0, False)

    def test_a_browser_is_told_what_each_file_is(self, finish, bucket):
        publish_run(bucket, finish(1))
        page = open_store(f"{bucket.url}/page", settings=bucket._requests.settings)
        build_page(bucket, page)
        assert isinstance(page, S3Store)
        heads = {name: page._requests.head(f"{page._prefix}{name}") or {} for name in files_of(page)}
        kinds = {name.rpartition(".")[2]: head["ContentType"] for name, head in heads.items()}
        assert kinds == {"html": "text/html", "js": "text/javascript", "json": "application/json"}


def test_a_name_that_ends_with_a_full_stop_ends_its_sentence(finish, store, out):
    finish(1)
    build_page(store, out)
    (sentence,) = re.findall(r"curves are drawn by (.*?) Runs are ranked", out.read(INDEX).decode())
    assert re.search(r"[^.]\.$", sentence)
