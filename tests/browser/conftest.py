"""A real browser, driven by Playwright: Debian's chromium, or what ``$PHASE2_CHROMIUM`` names.

Where there is none, these tests are skipped; with ``PHASE2_BROWSER=required`` they fail. Each page that a test opens is
watched: an error of the console or a request to a host fails the test.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tools.programs.chromium import chromium_path, running_chromium

WIDE, NARROW = {"width": 1600, "height": 1000}, {"width": 360, "height": 740}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """A running browser."""
    path = chromium_path()
    if path is None:
        reason = "No Chromium is installed: make test-browser installs Debian's as root, $PHASE2_CHROMIUM names one."
        if os.environ.get("PHASE2_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_chromium(path) as browser:
        yield browser


@dataclass
class Watch:
    """What a page asked for and complained about.

    Attributes:
        hosts: Places outside the page's own that may be asked, as prefixes of addresses.
        requests: Addresses that were asked for elsewhere.
        errors: Errors of the console, and exceptions that nothing caught.
    """

    hosts: tuple[str, ...] = ()
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def on(self, page):
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        page.on("request", lambda request: self._note(request.url))

    def _hear(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def _note(self, url):
        if not url.startswith(("file:", "data:", "blob:", "about:", *self.hosts)):
            self.requests.append(url)


@pytest.fixture
def open_page(chromium):
    """A function that opens an address or a file in a page of its own: ``with open_page(path, **context) as page``.

    ``context`` goes to Playwright's new_context: ``viewport``, ``color_scheme``, ``reduced_motion`` and so on.
    ``hosts`` names places that the page may ask, such as its own server.
    """

    @contextmanager
    def opened(where, *, hosts=(), **settings):
        url = where if isinstance(where, str) else Path(where).resolve().as_uri()
        watch = Watch(tuple(hosts))
        defaults = {"viewport": WIDE, "permissions": ["clipboard-read", "clipboard-write"]}
        context = chromium.new_context(**defaults | settings)
        try:
            page = context.new_page()
            page.set_default_timeout(20_000)
            watch.on(page)
            page.goto(url, wait_until="load")
            yield page
            assert watch.errors == []
            assert watch.requests == []
        finally:
            context.close()

    return opened


@pytest.fixture
def serious_findings():
    """A function that lists what axe-core finds serious or critical on a page, a line for each element."""
    from axe_playwright_python.sync_playwright import Axe

    def found(page):
        # The policy of a page forbids foreign scripts; the tests' own comes in by the debugger, which it does not bind.
        violations = Axe().run(page).response["violations"]
        return [
            f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
            for one in violations
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    return found


@pytest.fixture
def overflow():
    """A function that returns how many pixels a page is wider than its window."""
    return lambda page: page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
