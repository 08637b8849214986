"""The HTML of the page of all runs, and the libraries beside it."""

from __future__ import annotations

from functools import cache

from phase2 import __version__
from phase2.runs.page.scripts import content_name
from phase2.web.page import Page
from phase2.web.vendored import LIBRARIES, library_text

GENERATOR = "All runs of a store, written by phase2 runs page"
"""Description of the page, by which a page of phase2 is known from others."""

_SCRIPTS = (
    "dom.js", "format.js", "model.js", "columns.js", "search.js", "table_model.js", "facets.js", "details.js",
    "table.js", "best.js", "curves.js", "compare.js", "address.js", "summary.js", "views.js", "live.js", "start.js",
)  # fmt: skip
_PAGE = Page(
    "phase2.runs.page",
    "page.html",
    styles=("page.css",),
    scripts=_SCRIPTS,
    libraries=("table",),
    connect=True,
    loads_scripts=True,
)


def index_html(store: str, runs: str, *, reports: str | None, live_seconds: float | None) -> str:
    """Return the page, which loads the script of its runs.

    Args:
        store: Address of the store, for people.
        runs: Name of that script.
        reports: Address below which the reports of the runs are; None where a browser cannot reach them.
        live_seconds: Seconds between two questions whether the runs changed; None for a page that is as it is.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    place = {"runs": runs, "plotly": _plotly()[0], "reports": reports, "live": live_seconds or 0}
    context = {"store": store, "generator": GENERATOR, "version": __version__, "plotly": LIBRARIES["plotly"].notice}
    return _PAGE.render(context, data={"page": place})


def assets() -> dict[str, bytes]:
    """Return the libraries that the page loads when it needs them, by name."""
    name, content = _plotly()
    return {name: content}


@cache
def _plotly() -> tuple[str, bytes]:
    content = library_text("plotly").encode()
    return content_name("assets", content, title="plotly"), content
