"""The index of the decisions: number, title, date, and what a later one replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from phase2.runs.report.markdown import markup_table
from tools.generated import ROOT

_FORM = re.compile(r"# (?P<number>\d{3}): (?P<title>.+)\n\nDecided on (?P<date>\d{4}-\d\d-\d\d)\.(?P<status>[^\n]*)\n")


@dataclass(frozen=True)
class Decision:
    """A page of docs/decisions.

    Attributes:
        file: Its name.
        number: Three digits.
        title: What was decided.
        date: When, ISO 8601.
        status: Which decision replaced it, with a link; empty where it stands.
    """

    file: str
    number: str
    title: str
    date: str
    status: str


def decisions_page() -> str:
    """Return the index."""
    rows = [(f"[{one.number}]({one.file})", f"{one.title}. {one.status}".rstrip(), one.date) for one in decisions()]
    return _PAGE.format(decisions=markup_table(("number", "decision", "date"), rows))


_PAGE = """\
# Decisions

One page for each: the context, the choice, and what it costs. A decision that no longer holds stays, and names the one
that replaced it.

{decisions}
"""


def decisions() -> Iterator[Decision]:
    """Yield the decisions by number.

    Raises:
        ValueError: A page does not begin as one of a decision does.
    """
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        found = _FORM.match(path.read_text(encoding="utf-8"))
        if not found:
            raise ValueError(
                f"docs/decisions/{path.name} does not begin as a decision: '# {path.name[:3]}: TITLE', an empty line, "
                "'Decided on YYYY-MM-DD.', an empty line."
            )
        yield Decision(path.name, found["number"], found["title"], found["date"], found["status"].strip())
