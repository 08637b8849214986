"""The page of all runs in a real browser: sort, filter, search, compare, curves, by mouse and by keyboard alone."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import NARROW

from phase2.runs.layout import BEST
from phase2.runs.page.build import build_page
from phase2.runs.page.live import live_page
from phase2.runs.page.server import make_server
from phase2.storage.urls import open_store
from phase2.testing.finished_run import finished_run
from phase2.testing.many_runs import write_runs

RUNS = 120
VIEWS = ("runs", "best", "curves", "compare")
HOSTILE = "run_20260101T000000Z_<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store") / "models"
    write_runs(folder, RUNS, epochs=6)
    finished_run(folder, {BEST: b"weights", "report.html": b"<title>Its report</title>"}, run_id="with-report")
    return folder


@pytest.fixture(scope="module")
def file(models, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    build_page(open_store(models), open_store(folder))
    return folder / "index.html"


@pytest.fixture(scope="module")
def rows(file):
    """What the page was given, by id."""
    (data,) = (file.parent / "data").glob("*.js")
    text = data.read_text().removeprefix("runsPage.runs(").removesuffix(");\n")
    content = json.loads(text)
    runs = [dict(zip(content["fields"], row, strict=True)) for row in content["runs"]]
    return {run["id"]: run for run in runs}


def until(page, condition, *arguments):
    """Wait until JavaScript returns true; the page's policy forbids what Playwright's own waiting evaluates."""
    for _ in range(400):
        if page.evaluate(condition, *arguments):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"This never became true: {condition}")


def ready(page, view=None):
    page.locator("body[data-ready]").wait_for()
    if view:
        page.locator(f"#tab-{view}").click()
    return page


def ids(page):
    return page.locator("#rows th .link").all_inner_texts()


def column(page, title):
    """The texts of a column of the table."""
    place = page.locator("#headings th").all_inner_texts()
    number = next(k for k, text in enumerate(place) if text.startswith(title))
    return [text.strip() for text in page.locator(f"#rows tr > *:nth-child({number + 1})").all_inner_texts()]


def sort(page, title):
    page.locator("#headings button", has_text=title).click()


def search(page, words):
    before = page.locator("#count").inner_text()
    page.get_by_role("searchbox", name="Search the runs").fill(words)
    expect(page.locator("#count")).not_to_have_text(before)


def tick(page, *places):
    for place in places:
        page.locator("#rows input").nth(place).check()


def test_the_table_says_which_runs_were_resumed(file, open_page, rows):
    with open_page(file) as page:
        ready(page)
        search(page, "cgcnn")
        shown = dict(zip(ids(page), column(page, "State"), strict=True))
        assert {"resumed 1×" in state for state in shown.values()} == {True, False}
        assert {name: "resumed" in state for name, state in shown.items()} == {
            name: bool(rows[name]["resumed"]) for name in shown
        }


def test_a_single_run_is_no_plural(tmp_path, open_page):
    write_runs(tmp_path / "models", 1, epochs=2)
    build_page(open_store(tmp_path / "models"), open_store(tmp_path / "page"))
    with open_page(tmp_path / "page" / "index.html") as page:
        ready(page)
        assert page.locator("#count").inner_text() == "1 run"
        search(page, "no-such-run")
        assert page.locator("#count").inner_text() == "0 of 1 run"
        assert not page.locator("footer", has_text="..").count()


def curve_names(page):
    page.locator("#curve-plot.js-plotly-plot").wait_for()
    return page.evaluate("document.getElementById('curve-plot').data.map((trace) => trace.name)")


def test_all_runs_are_shown_the_newest_first(file, open_page, rows):
    with open_page(file) as page:
        ready(page)
        assert page.locator("#count").inner_text() == f"{RUNS + 1} runs"
        started = column(page, "Started")
        assert len(started) == 50
        assert started == sorted(started, reverse=True)
        page.get_by_label("Next page").click()
        page.get_by_label("Next page").click()
        assert page.locator("#range").inner_text() == f"101–121 of {RUNS + 1}"
        assert page.get_by_label("Next page").is_disabled()
        page.get_by_label("Rows").select_option("250")
        assert set(ids(page)) == rows.keys()


def test_a_heading_sorts_and_says_so(file, open_page, rows):
    with open_page(file) as page:
        ready(page)
        sort(page, "Band gap")
        heading = page.locator("#headings th", has_text="Band gap")
        assert heading.get_attribute("aria-sort") == "ascending"
        shown = [rows[each]["errors"]["band_gap"][0] for each in ids(page)]
        assert shown == sorted(shown)
        assert shown[0] == min(run["errors"]["band_gap"][0] for run in rows.values() if run["errors"])
        sort(page, "Band gap")
        assert heading.get_attribute("aria-sort") == "descending"
        shown = [rows[each]["errors"]["band_gap"][0] for each in ids(page)]  # runs without an error come last
        assert shown == sorted(shown, reverse=True)


def test_lists_filter_and_count(file, open_page, rows):
    with open_page(file) as page:
        ready(page)
        page.locator("#facet-algorithm summary").click()
        page.locator("#facet-algorithm label", has_text="e3nn").click()
        expected = [run for run in rows.values() if run["algorithm"] == "e3nn"]
        assert page.locator("#count").inner_text() == f"{len(expected)} of {RUNS + 1} runs"
        assert set(column(page, "Algorithm")) == {"e3nn"}
        page.locator("#facet-state summary").click()
        failed = [run for run in expected if run["state"] == "failed"]
        label = page.locator("#facet-state label", has_text="failed")
        assert label.locator(".count").inner_text() == str(len(failed))  # of those that pass the other filters
        label.click()
        assert len(ids(page)) == len(failed)
        page.locator("#facet-state button", has_text="Clear").click()
        assert page.locator("#count").inner_text().startswith(f"{len(expected)} of")


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        ("cgcnn -failed", lambda run: run["algorithm"] == "cgcnn" and run["state"] != "failed"),
        ("seed=3", lambda run: run["seed"] == 3),
        ("band_gap<0.4", lambda run: run["errors"].get("band_gap", [9])[0] < 0.4),
        ("training.lr>1e-3 level=std", lambda run: "--lr 0.003" in run["command"] and run["level"] == "std"),
        ("JARVIS", lambda run: run["source"] == "jarvis-dft3d"),
    ],
)
def test_words_and_comparisons_search(file, open_page, rows, words, passes):
    expected = {run["id"] for run in rows.values() if passes(run)}
    assert 0 < len(expected) < RUNS
    with open_page(file) as page:
        ready(page)
        page.get_by_label("Rows").select_option("250")
        search(page, words)
        assert set(ids(page)) == expected


def test_test_errors_choose_nothing(file, open_page):
    with open_page(file) as page:
        ready(page)
        assert not [text for text in page.locator("#headings th").all_inner_texts() if "test" in text.lower()]
        assert not page.evaluate("page.columns.some((column) => /test/i.test(column.id))")


def test_ticked_runs_are_compared_differences_first(file, open_page, rows):
    with open_page(file) as page:
        ready(page)
        search(page, "finished -with-report")
        chosen = ids(page)[:3]
        tick(page, 0, 1, 2)
        assert page.locator("#tab-compare").inner_text() == "Compare (3)"
        page.locator("#tab-compare").click()
        shown = page.locator("#compare-settings tbody tr")
        paths = page.locator("#compare-settings tbody th").all_inner_texts()
        assert "seed" in paths
        seeds = shown.nth(paths.index("seed")).locator("td").all_inner_texts()
        assert seeds == [str(rows[each]["seed"]) for each in chosen]
        assert "data.split_seed" not in paths
        page.get_by_label("only those that differ").uncheck()
        assert "data.split_seed" in page.locator("#compare-settings tbody th").all_inner_texts()
        page.get_by_label("Find").fill("split_seed")
        assert page.locator("#compare-settings tbody th").all_inner_texts() == ["data.split_seed"]
        scores = [rows[each]["score"] for each in chosen]
        bold = page.locator("#compare-errors tbody tr").first.locator("strong").inner_text()
        assert float(bold.split()[0]) == pytest.approx(min(scores), rel=1e-3)


def test_learning_curves_lie_over_each_other(file, open_page):
    with open_page(file) as page:
        ready(page)
        tick(page, 1, 2, 3, 4)
        chosen = ids(page)[1:5]
        page.locator("#tab-curves").click()
        assert [name.split()[0] for name in curve_names(page)] == chosen
        page.get_by_label("Show").select_option("mae:band_gap")
        until(page, "document.getElementById('curve-plot').layout.yaxis.title.text.includes('Band gap')")
        page.get_by_label("logarithmic").check()
        until(page, "document.getElementById('curve-plot').layout.yaxis.type === 'log'")
        page.get_by_label("over").select_option("time")
        until(page, "document.getElementById('curve-plot').layout.xaxis.title.text.includes('Minutes')")
        assert page.locator("#curve-table tbody th").all_inner_texts() == chosen
        page.locator("#unchoose").click()
        until(page, "document.getElementById('curve-plot').data.length === 5")
        assert "5 best scores" in page.locator("#curve-note").inner_text()


def test_the_best_are_of_one_data_set(file, open_page, rows):
    with open_page(file) as page:
        ready(page, "best")
        options = page.locator("#best-data option").all_inner_texts()
        assert len(options) >= 3
        wanted = page.locator("#best-data").input_value()
        finished = [run for run in rows.values() if run["state"] == "finished" and run["data"] == wanted]
        best = min(finished, key=lambda run: run["errors"]["formation_energy"][0])
        card = page.locator(".cards .card", has_text="Formation energy")
        assert card.locator(".link").inner_text() == best["id"]
        page.locator("#best-data").select_option(index=1)
        assert page.locator("#best-data").input_value() != wanted


def test_a_run_shows_its_commands_and_its_report(file, open_page, models):
    with open_page(file) as page:
        ready(page)
        search(page, "with-report")
        link = page.get_by_role("link", name="Report of with-report")
        assert link.get_attribute("href").endswith("/report.html")
        page.locator("#rows .link").click()
        dialog = page.get_by_role("dialog")
        assert dialog.get_by_role("heading", level=2).inner_text() == "with-report"
        assert "Incomplete: it lacks HANDOFF.md, MODEL_CARD.md" in dialog.inner_text()
        dialog.get_by_label("Copy: Download it").click()
        expect(page.locator("#announcement")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()").startswith("phase2 pull multitask_cgcnn/run_")
        page.keyboard.press("Escape")
        assert dialog.count() == 0
        with page.context.expect_page() as opened:
            link.click()
        assert opened.value.title() == "Its report"


def test_the_address_keeps_what_is_looked_at(file, open_page):
    with open_page(file) as page:
        ready(page)
        search(page, "cgcnn")
        sort(page, "Bulk modulus")
        page.locator("#facet-level summary").click()
        page.locator("#facet-level label", has_text="std").click()
        page.keyboard.press("Escape")
        tick(page, 0, 1)
        shown, address = ids(page), page.url
    with open_page(address) as page:
        ready(page)
        assert ids(page) == shown
        assert page.locator("#rows input:checked").count() == 2
        assert page.get_by_role("searchbox", name="Search the runs").input_value() == "cgcnn"


def test_any_setting_can_be_a_column(file, open_page, rows):
    with open_page(file) as page:
        ready(page)
        page.locator("#facet-columns summary").click()
        page.locator("#facet-columns label", has_text="training.batch_size").click()
        page.keyboard.press("Escape")
        assert {*column(page, "training.batch_size")} >= {"16", "32", "64"}


def test_it_works_by_keyboard_alone(file, open_page):
    with open_page(file) as page:
        ready(page)
        page.keyboard.press("/")
        page.keyboard.type("finished")
        expect(page.locator("#count")).to_contain_text(" of ")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # opens the list of states
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.parentElement.id") == "facet-state"
        page.locator("#headings button", has_text="Score").focus()
        page.keyboard.press("Enter")
        heading = page.locator("#headings th", has_text="Score")
        assert heading.get_attribute("aria-sort") == "ascending"
        assert "Score" in page.evaluate("document.activeElement.textContent")  # it was drawn anew, and kept the focus
        box = page.locator("#rows input").nth(1)
        box.focus()
        page.keyboard.press("Space")
        assert page.locator("#rows input:checked").count() == 1
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.get_by_role("dialog").is_visible()
        page.keyboard.press("Escape")
        page.locator("#tab-runs").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == "tab-curves"
        assert len(curve_names(page)) == 1
        page.keyboard.press("End")
        assert page.locator("#view-compare").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(file, open_page, serious_findings, scheme):
    with open_page(file, color_scheme=scheme) as page:
        ready(page)
        tick(page, 1, 2)
        for view in VIEWS:
            page.locator(f"#tab-{view}").click()
            if view == "curves":
                curve_names(page)
            assert serious_findings(page) == [], view
        page.locator("#tab-runs").click()
        page.locator("#facet-state summary").click()
        assert serious_findings(page) == []
        page.keyboard.press("Escape")
        page.locator("#rows .link").nth(1).click()
        assert serious_findings(page) == []


def test_the_theme_changes_curves_too(file, open_page):
    with open_page(file, color_scheme="light") as page:
        ready(page, "curves")
        curve_names(page)
        before = page.evaluate("document.getElementById('curve-plot').layout.font.color")
        page.get_by_label("Dark").check(force=True)
        until(page, "c => document.getElementById('curve-plot').layout.font.color !== c", before)


def test_a_narrow_screen_scrolls_the_table_and_not_the_page(file, open_page, overflow):
    with open_page(file, viewport=NARROW) as page:
        ready(page)
        tick(page, 1, 2)
        for view in VIEWS:
            page.locator(f"#tab-{view}").click()
            if view == "curves":
                curve_names(page)
                page.evaluate("document.getElementById('curve-measure').append(new Option('Long '.repeat(20)))")
            assert overflow(page) == 0, view
        page.locator("#tab-runs").click()
        page.locator("#facet-columns summary").click()
        assert overflow(page) == 0
        box = page.locator("#facet-columns .popover").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW["width"]
        page.keyboard.press("Escape")
        page.locator("#rows .link").first.click()
        assert overflow(page) == 0


def test_the_name_of_a_run_that_cannot_be_read_fits_a_narrow_screen(tmp_path, open_page, overflow):
    broken = tmp_path / "models" / "multitask_cgcnn" / "run_20260101T000000Z_that-has-no-end"
    broken.mkdir(parents=True)
    (broken / "run_manifest.json").write_text("{")
    build_page(open_store(tmp_path / "models"), open_store(tmp_path / "page"))
    with open_page(tmp_path / "page" / "index.html", viewport=NARROW) as page:
        ready(page)
        assert "that-has-no-end" in page.locator("#unreadable").inner_text()
        assert overflow(page) == 0


def test_hostile_names_are_text(models, tmp_path, open_page):
    folder = tmp_path / "models"
    run = finished_run(folder, {BEST: b"w", "report.html": b"x"}, run_id="sound")
    named = run.path.with_name(HOSTILE)
    shutil.copytree(run.path, named)
    for record in ("run_manifest.json", "run_config.json"):
        path = named / record
        path.write_text(path.read_text().replace('"sound"', json.dumps(HOSTILE.removeprefix("run_20260101T000000Z_"))))
    built = build_page(open_store(folder), open_store(tmp_path / "page"))
    assert (built.runs, built.unreadable) == (2, ())
    with open_page(tmp_path / "page" / "index.html") as page:
        ready(page)
        page.on("dialog", lambda dialog: pytest.fail(f"A name ran: {dialog.message}"))
        assert "<img src=x onerror=alert(1)>" in ids(page)
        tick(page, 0, 1)
        for view in VIEWS:
            page.locator(f"#tab-{view}").click()
        page.locator("#tab-runs").click()
        page.locator("#rows .link", has_text="<img").click()
        assert page.locator("img").count() == 0
        href = page.get_by_role("dialog").get_by_role("link").get_attribute("href")
        assert href.endswith("/run_20260101T000000Z_%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E/report.html")


def test_five_thousand_runs_are_a_table_soon(tmp_path, open_page):
    write_runs(tmp_path / "models", 5_000, epochs=2)
    build_page(open_store(tmp_path / "models"), open_store(tmp_path / "page"))
    with open_page(tmp_path / "page" / "index.html") as page:
        ready(page)
        drawn = page.evaluate("performance.getEntriesByName('drawn')[0].startTime")
        assert page.locator("#count").inner_text() == "5,000 runs"
        assert page.locator("#rows tr").count() == 50
        begin = page.evaluate("performance.now()")
        sort(page, "Band gap")
        search(page, "cgcnn seed=3")
        assert 0 < len(ids(page)) <= 50
        # Not a measurement, which bench/runs_page.py makes: what a busy machine also keeps.
        assert drawn < 20_000
        assert page.evaluate("performance.now()") - begin < 20_000


def test_a_served_page_shows_new_runs_in_place(tmp_path, open_page, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    write_runs(tmp_path / "models", 30, epochs=3)
    live = live_page(open_store(tmp_path / "models"), 0.1)
    live.refresh()
    server = make_server(live, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    address = f"http://localhost:{server.server_port}/"
    try:
        with open_page(address, hosts=(address,)) as page:
            ready(page)
            search(page, "finished")
            tick(page, 0)
            chosen = ids(page)[0]
            count = page.locator("#count").inner_text()
            finished_run(tmp_path / "models", {BEST: b"w", "report.html": b"<title>New</title>"}, run_id="new-one")
            live.refresh()
            expect(page.locator("#count")).not_to_have_text(count)
            assert ids(page)[:2] == ["new-one", chosen]
            assert page.locator("#rows input:checked").count() == 1
            assert page.get_by_role("searchbox", name="Search the runs").input_value() == "finished"
            assert page.locator("#live").inner_text() == "Live"
            with page.context.expect_page() as opened:
                page.get_by_role("link", name="Report of new-one").click()
            assert opened.value.title() == "New"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
