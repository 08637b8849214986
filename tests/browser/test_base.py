"""The base of all pages in a real browser: theme, copying, plots, policy, keyboard, paper."""

import sys

import pytest
from tests.browser.conftest import NARROW

from phase2.web.page import Page

TEMPLATE = """{% extends "base.html" %}
{% block title %}Base{% endblock %}
{% block description %}A page of the tests{% endblock %}
{% block heading %}Base{% endblock %}
{% block nav %}<nav class="contents" aria-label="Contents"><ul><li><a href="#one">One</a></li>
<li><a href="#two">Two</a></li></ul></nav>{% endblock %}
{% block main %}<h1>Base</h1>
<section class="card" id="one"><h2>One</h2><p class="muted">A text</p>
<p><span class="chip good">good</span> <span class="chip warn">fair</span> <span class="chip bad">bad</span></p>
<button type="button" class="copy" data-copy="phase2 runs show abc">Copy</button></section>
<section class="card" id="two"><h2>Two</h2><div class="plot" id="plot" role="group" aria-label="A plot"></div></section>
{% endblock %}
"""
SCRIPT = """
phase2.plot(document.getElementById("plot"), () => ({
  traces: [{ x: [1, 2, 3], y: [3, 1, 2], name: phase2.plotText("<a href='x'>a</a>") }], layout: {} }));
"""


@pytest.fixture
def page_file(tmp_path, monkeypatch):
    folder = tmp_path / "page_in_browser" / "templates"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "page.html").write_text(TEMPLATE)
    (folder / "page.js").write_text(SCRIPT)
    monkeypatch.syspath_prepend(tmp_path)
    from phase2.web.templating import environment

    environment.cache_clear()
    file = tmp_path / "page.html"
    file.write_text(
        Page("page_in_browser", "page.html", scripts=("page.js",), libraries=("plotly", "3dmol")).render({})
    )
    yield file
    sys.modules.pop("page_in_browser", None)
    environment.cache_clear()


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_the_theme_is_the_systems_until_the_reader_chooses(page_file, open_page):
    with open_page(page_file, color_scheme="dark") as page:
        dark = background(page)
        font = page.evaluate("document.querySelector('#plot').layout.font.color")
        page.get_by_label("Light").check(force=True)
        assert background(page) != dark
        assert page.evaluate("document.querySelector('#plot').layout.font.color") != font
        page.reload()
        assert background(page) != dark
        page.get_by_label("As the system").check(force=True)
        assert background(page) == dark


def test_a_command_is_copied_and_said(page_file, open_page):
    with open_page(page_file) as page:
        page.get_by_role("button", name="Copy").click()
        page.get_by_role("status").get_by_text("Copied").wait_for(state="attached")
        assert page.evaluate("navigator.clipboard.readText()") == "phase2 runs show abc"


def test_a_foreign_script_does_not_run_and_nothing_is_requested(page_file, open_page):
    text = page_file.read_text()
    page_file.write_text(text.replace("A text", "<script>window.ran = true</script>"))
    with pytest.raises(AssertionError, match="Content Security Policy"), open_page(page_file) as page:
        assert page.evaluate("window.ran") is None
    page_file.write_text(text.replace("A text", '<img src="https://example.com/x.png" alt="">'))
    with pytest.raises(AssertionError, match="Content Security Policy"), open_page(page_file):
        pass


def test_a_plot_offers_nothing_that_sends_it_anywhere(page_file, open_page):
    with open_page(page_file) as page:
        buttons = page.locator("#plot .modebar-btn")
        names = {buttons.nth(k).get_attribute("data-title") for k in range(buttons.count())}
        assert {"Zoom", "Pan"} <= names
        assert not [name for name in names if "loud" in name or "hare" in name or "Plotly" in name]
        assert page.evaluate("document.querySelector('#plot')._context.plotlyServerURL") == ""


def test_text_in_a_plot_is_no_markup(page_file, open_page):
    with open_page(page_file) as page:
        assert page.locator("#plot a[href]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page_file, open_page, serious_findings, scheme):
    with open_page(page_file, color_scheme=scheme) as page:
        assert serious_findings(page) == []


def test_the_keyboard_reaches_everything(page_file, open_page):
    with open_page(page_file) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_narrow_window_needs_no_sideways_scrolling(page_file, open_page, overflow):
    with open_page(page_file, viewport=NARROW) as page:
        assert overflow(page) == 0


def test_it_prints_in_light_colours_and_is_as_before_afterwards(page_file, open_page):
    with open_page(page_file, color_scheme="dark") as page:
        dark = background(page)
        assert page.pdf().startswith(b"%PDF")
        assert background(page) == dark
