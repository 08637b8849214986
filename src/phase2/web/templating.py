"""Jinja2 as phase2 uses it: all text is escaped, and a name that is missing is an error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from phase2.config.extras import explain_missing_packages
from phase2.output.secrets import without_secrets
from phase2.output.visible import shorten, visible_lines
from phase2.output.wording import counted, full_stop

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST_TEXT = 200_000


@cache
def environment(package: str) -> Environment:
    """Return the environment of a package's templates, which also finds those of the base.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    with explain_missing_packages():
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    loader = ChoiceLoader([PackageLoader(package), PackageLoader("phase2.web")])
    found = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(counted=counted, full_stop=full_stop)
    return found


def shown(value: Any) -> Any:
    """Return a value as a template writes it: hidden characters of text are visible, keys are not, None is nothing.

    What is markup already stays as it is; Jinja2 escapes the rest.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return shorten(visible_lines(without_secrets(value)), LONGEST_TEXT)
