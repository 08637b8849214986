"""The documentation site in a real browser, opened from the disk: search, themes, width, keyboard, accessibility."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.browser.conftest import NARROW, WIDE
from tests.site.conftest import build

READ = [
    "index.html",
    "tutorials/ten-minutes.html",
    "tutorials/first-model.html",
    "how-to/argo.html",
    "reference/cli.html",
    "reference/configuration.html",
    "reference/python.html",
    "explanation/models.html",
    "explanation/architecture.html",
    "decisions/index.html",
    "benchmarks/sharing.html",
]

EXAMINED = ["index.html", "how-to/argo.html", "reference/python.html", "explanation/models.html"]
"""Pages that axe-core looks at: together they have every kind of element."""


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def search(page, words, title):
    """Type into the search, and wait until it has found the page of a title; what it finds changes with each letter."""
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.locator(".md-search-result__item h1").get_by_text(title, exact=True).first.wait_for()


@pytest.fixture(scope="module")
def served(site):
    """Address of a server of the site: axe reads style sheets, which a browser refuses to scripts from the disk."""
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_pages_fit_their_window(site, open_page, overflow, viewport):
    for name in READ:
        with open_page(site / name, viewport=viewport) as page:
            assert overflow(page) <= 0, name


@pytest.mark.parametrize(("viewport", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["light", "dark"])
def test_pages_are_accessible(served, open_page, serious_findings, viewport, scheme):
    for name in EXAMINED:
        with open_page(f"{served}/{name}", hosts=(served,), viewport=viewport, color_scheme=scheme) as page:
            assert serious_findings(page) == [], name


def test_search_works_from_the_disk(site, open_page):
    with open_page(site / "index.html") as page:
        search(page, "exit codes", "Exit codes")
        page.locator(".md-search-result__item").first.locator("h1").get_by_text("Exit codes", exact=True).wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/reference/exit-codes.html*")
        assert page.locator("h1").inner_text().startswith("Exit codes")


def test_search_finds_settings_and_functions(site, open_page):
    with open_page(site / "how-to" / "argo.html") as page:
        search(page, "training.label_exponent", "Settings of a run")
    with open_page(site / "how-to" / "argo.html") as page:
        search(page, "load_model", "Python interface")


def test_the_theme_is_the_systems_until_the_reader_chooses(site, open_page):
    with open_page(site / "explanation" / "models.html", color_scheme="dark") as page:
        scheme = page.locator("body").get_attribute
        assert scheme("data-md-color-scheme") == "slate"
        page.get_by_title("Use the light theme").click()
        assert scheme("data-md-color-scheme") == "default"
        page.reload()
        assert scheme("data-md-color-scheme") == "default"


def test_a_formula_has_the_height_of_its_line_and_a_text(site, open_page):
    with open_page(site / "explanation" / "models.html") as page:
        inline = page.locator("p > svg.formula").first
        assert inline.get_attribute("aria-label")
        assert 4 < inline.bounding_box()["height"] < 30
        block = page.locator("div.formula svg").first
        assert block.bounding_box()["width"] > 80


def test_the_keyboard_alone_reaches_the_content(site, open_page):
    with open_page(site / "how-to" / "keep-runs.html") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to content"


def test_commands_are_copied_without_their_prompt(site, open_page):
    with open_page(site / "tutorials" / "ten-minutes.html") as page:
        page.locator("div.highlight").first.locator("button").first.click()
        assert page.evaluate("navigator.clipboard.readText()").strip() == "phase2 data list\nphase2 data describe"
