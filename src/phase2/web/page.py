"""A page of HTML that is complete in itself: template, styles, scripts, libraries and data in one file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from phase2.web.embedding import as_json
from phase2.web.templating import environment
from phase2.web.vendored import LIBRARIES, library_text

_BASE = "phase2.web"


@dataclass(frozen=True)
class Page:
    """A kind of page: its template, and what is put into it.

    Args:
        package: Package with a folder ``templates`` that has the files below.
        template: File of the template, which extends ``base.html``.
        styles: Files with styles, after those of the base.
        scripts: Files with JavaScript, in the order in which they run, after the base's.
        libraries: Vendored libraries that the scripts use, by their keys in :data:`phase2.web.vendored.LIBRARIES`.
        connect: Whether the page may load from the place that serves it.
        loads_scripts: Whether its scripts may load others, such as data beside the page.
    """

    package: str
    template: str
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    connect: bool = False
    loads_scripts: bool = False

    def render(self, context: Mapping[str, Any], *, data: Mapping[str, Any] | None = None) -> str:
        """Return the page.

        Args:
            context: Values of the template.
            data: What scripts read by ``phase2.data(name)``: anything that JSON can hold; NaN becomes null.

        Raises:
            MissingExtraError: Jinja2 is not installed.
        """
        from markupsafe import Markup

        templates = environment(self.package)
        scripts = [*map(library_text, self.libraries), self._text(_BASE, "base.js")]
        scripts += [self._text(self.package, name) for name in self.scripts]
        early = self._text(_BASE, "early.js")
        styles = [self._text(_BASE, "base.css"), *(self._text(self.package, name) for name in self.styles)]
        base = {
            "policy": _policy([early, *scripts], connect=self.connect, loads_scripts=self.loads_scripts),
            "early": Markup(early),  # noqa: S704  files of the package
            "styles": Markup("\n".join(styles)),  # noqa: S704
            "scripts": [Markup(script) for script in scripts],  # noqa: S704
            "notices": [LIBRARIES[key].notice for key in self.libraries],
            "data": {name: Markup(as_json(value)) for name, value in (data or {}).items()},  # noqa: S704  escaped there
        }
        return templates.get_template(self.template).render(**context, base=base)

    @staticmethod
    def _text(package: str, name: str) -> str:
        return files(package).joinpath("templates", name).read_text("utf-8")


def _policy(scripts: Iterable[str], *, connect: bool, loads_scripts: bool) -> str:
    """Content-Security-Policy that runs these scripts alone, and requests nothing."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    rules = [
        "default-src 'none'",
        # What a script with a hash loads runs, too; what markup that got in names does not.
        f"script-src {hashes}" + (" 'strict-dynamic'" if loads_scripts else ""),
        "style-src 'unsafe-inline'",  # Plotly writes styles into the elements that it draws
        "img-src data: blob:",
        *(["connect-src 'self'"] if connect else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
