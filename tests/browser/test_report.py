"""Reports of real runs in a real browser: one run of each algorithm, one of them resumed, alone and side by side."""

from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError as NotInTimeError
from tests.browser.conftest import NARROW

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import PreemptedError
from phase2.runs.report.html.files import files_of_folder
from phase2.runs.report.html.inputs import read_run
from phase2.runs.report.html.page import report
from phase2.training.callbacks.base import Callback
from phase2.training.interruption import StopRequest
from phase2.training.run.experiment import RunContext, train_run

KEYS = ("formation_energy", "band_gap", "bulk_modulus")


class StopAfterTwoEpochs(Callback):
    """Requests a stop as a cluster does, so that the run has two attempts."""

    def __init__(self, stop):
        self.stop, self.epochs = stop, 0

    def on_epoch_end(self, event):
        self.epochs += 1
        if self.epochs == 2:
            self.stop.request("SIGTERM")


def request(output, algorithm, **changes):
    words = {"level": "smoke", "properties": KEYS, "epochs": 4, "max_samples": 200, "output": output} | changes
    return resolve(RunRequest(algorithm=algorithm, **words))


@pytest.fixture(scope="session")
def runs(tmp_path_factory, chromium):
    """Directories of a run of cgcnn that was stopped and resumed, and of one of e3nn."""
    output = tmp_path_factory.mktemp("models")
    stop = StopRequest()
    with pytest.raises(PreemptedError):
        train_run(request(output, "cgcnn"), context=RunContext(callback=StopAfterTwoEpochs(stop), stop=stop))
    resumed = train_run(request(output, "cgcnn"), ResumeRequest(wanted=True))
    other = train_run(request(output, "e3nn", epochs=2))
    return resumed.directory, other.directory


@pytest.fixture(scope="session")
def both(runs, tmp_path_factory):
    path = tmp_path_factory.mktemp("reports") / "both.html"
    path.write_text(report([read_run(files_of_folder(run.path)) for run in runs]))
    return path


@pytest.fixture(scope="session")
def alone(runs):
    """The report that was written with the run."""
    return runs[0].report


def drawn(page, selector):
    """Scroll to a plot and wait until it is drawn."""
    plot = page.locator(selector).first
    plot.scroll_into_view_if_needed()
    plot.locator(".main-svg").first.wait_for()
    return plot


def test_it_opens_and_says_how_good_the_run_is(alone, open_page):
    with open_page(alone) as page:
        assert page.locator(".sentence").inner_text().split()[0].rstrip(":") in {"Good", "Mixed", "Weak", "Fair", "Not"}
        assert page.locator("#attempts tbody tr").count() == 2
        assert "SIGTERM" in page.locator("#attempts tbody tr").first.inner_text()
        assert page.locator("#errors tbody tr").count() == len(KEYS)


def test_every_plot_is_drawn(alone, open_page):
    with open_page(alone) as page:
        curves = ("#loss", "#learning-error", "#speed")
        groups = ("[data-group=system] .plot", "[data-group=distance] .plot", "#intervals")
        for selector in ("#parity-plots .plot", *groups, *curves, "#label-plots .plot"):
            drawn(page, selector)
        drawn(page, "#distribution")


def point_at(page, plot):
    """Move the mouse to the first point of a plot, until its label is shown: only then does a click pick it."""
    for _ in range(20):
        plot.locator(".point").first.hover(force=True)
        with suppress(NotInTimeError):
            plot.locator(".hovertext").first.wait_for(timeout=1000)
            return
        page.mouse.move(0, 0)
    pytest.fail("The label of the point is not shown.")


def test_a_parity_plot_is_zoomed_and_a_point_names_its_crystal(alone, open_page):
    with open_page(alone) as page:
        plot = drawn(page, "#parity-plots .plot")
        before = plot.evaluate("plot => plot._fullLayout.xaxis.range.slice()")
        box = plot.locator(".nsewdrag").first.bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        page.mouse.up()
        page.wait_for_function(
            "range => document.querySelector('#parity-plots .plot')._fullLayout.xaxis.range[1] < range", arg=before[1]
        )
        plot.evaluate("plot => Plotly.relayout(plot, {'xaxis.autorange': true, 'yaxis.autorange': true})")
        point_at(page, plot)
        page.mouse.down()
        page.mouse.up()
        page.locator("#parity-picked button").wait_for()
        name = page.locator("#parity-picked button").get_attribute("data-copy")
        data = page.evaluate("phase2.data('report').runs[0].points.test.crystals.id")
        assert name in data


def test_choosing_a_worst_crystal_draws_its_structure(alone, open_page):
    with open_page(alone) as page:
        page.locator("#worst").scroll_into_view_if_needed()
        button = page.locator("#worst-rows button").nth(2)
        button.click()
        name = button.inner_text()
        page.wait_for_function("name => document.getElementById('viewer').dataset.shown === name", arg=name)
        assert button.get_attribute("aria-pressed") == "true"
        canvas = page.locator("#viewer canvas").first
        first = canvas.screenshot()
        assert len(set(first)) > 50  # something is drawn
        page.locator("#viewer").focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(200)
        assert canvas.screenshot() != first
        page.get_by_role("button", name="Next").click()
        assert page.locator("#worst-rows button").nth(3).get_attribute("aria-pressed") == "true"


def test_the_configuration_is_searched(alone, open_page):
    with open_page(alone) as page:
        rows = page.locator("#settings tbody tr:visible")
        everything = rows.count()
        page.get_by_label("Search").fill("--epochs")
        assert rows.count() == 1
        assert "training.epochs" in rows.first.inner_text()
        page.get_by_label("Search").fill("")
        page.get_by_label("Only what is no default").check()
        assert 3 < rows.count() < everything
        assert page.locator("#settings-count").inner_text() == f"{rows.count()} of {everything} settings"


def test_the_periodic_table_follows_the_property(alone, open_page):
    with open_page(alone) as page:
        cell = page.locator("td[data-element=O]")
        before = cell.inner_text()
        page.locator("#where-property").select_option("bulk_modulus")
        assert cell.inner_text() != before
        assert "GPa" in cell.get_attribute("title")


def test_two_runs_are_compared_differences_first(both, open_page, runs):
    with open_page(both) as page:
        headings = page.locator("main h2").all_inner_texts()
        assert headings.index("Differences of configuration") < headings.index("Errors beside the baselines")
        assert "algorithm" in page.locator("#differences tbody").inner_text()
        assert page.locator("#parity-plots figure").count() == 2
        drawn(page, "#parity-plots .plot")
        drawn(page, "#loss")
        page.locator("#worst-run").select_option("1")
        page.locator("#parity-property").select_option("band_gap")
        drawn(page, "#parity-plots .plot")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["alone", "both"])
def test_axe_finds_nothing_serious(which, scheme, open_page, serious_findings, request):
    with open_page(request.getfixturevalue(which), color_scheme=scheme) as page:
        drawn(page, "#parity-plots .plot")
        drawn(page, "#loss")
        assert serious_findings(page) == []


def test_changing_the_theme_changes_plots_and_viewer(alone, open_page):
    with open_page(alone, color_scheme="light") as page:
        drawn(page, "#loss")
        before = page.evaluate("document.querySelector('#loss')._fullLayout.font.color")
        page.get_by_label("Dark").check(force=True)
        assert page.evaluate("document.querySelector('#loss')._fullLayout.font.color") != before


def test_the_keyboard_alone_reaches_and_uses_every_control(alone, open_page):
    with open_page(alone) as page:
        wanted = {"parity-part", "where-property", "worst-property", "viewer", "learning-measure", "settings-search"}
        reached = set()
        for _ in range(400):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.id"))
            if page.evaluate("document.activeElement.id") == "where-property":
                page.keyboard.press("ArrowDown")
                assert page.locator("#where-property").input_value() == KEYS[0]
            if wanted <= reached:
                break
        assert wanted <= reached


@pytest.mark.parametrize("which", ["alone", "both"])
def test_a_narrow_window_needs_no_sideways_scrolling(which, open_page, overflow, request):
    with open_page(request.getfixturevalue(which), viewport=NARROW) as page:
        drawn(page, "#parity-plots .plot")
        drawn(page, "#loss")
        assert overflow(page) == 0


@pytest.mark.parametrize("which", ["alone", "both"])
@pytest.mark.parametrize("width", [1600, 1200, 1130, 1000, 800, 400])
def test_a_row_of_errors_is_whole_at_any_width(width, which, open_page, request):
    with open_page(request.getfixturevalue(which), viewport={"width": width, "height": 900}) as page:
        table = page.locator("#errors .scroll")
        assert table.evaluate("one => one.scrollWidth - one.clientWidth") == 0


def test_it_prints_with_every_plot(alone, open_page):
    with open_page(alone, color_scheme="dark") as page:
        pdf = page.pdf(format="A4")
        assert pdf.startswith(b"%PDF")
        assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 5
        plots = page.locator(".plot").evaluate_all(
            "plots => plots.filter((one) => !one.closest('[hidden]')).map((one) => !!one.querySelector('.main-svg'))"
        )
        assert len(plots) > 10
        assert all(plots)
