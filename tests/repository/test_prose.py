"""Wrapping changes where the lines of a page end, and nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tools.prose import WIDTH, long_lines, pages, wrap

WORDS = st.sampled_from(["word", "a", "1.", "-", "#", "`code with blanks`", "[a link](https://a.b/c)", "x" * 30])
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=60).map(lambda words: " ".join(["Begin", *words]))
ITEMS = PARAGRAPHS.map(lambda text: f"- {text}")
CODE = PARAGRAPHS.map(lambda text: f"```console\n$ {text}\n```")
TABLES = PARAGRAPHS.map(lambda text: f"| a | b |\n|---|---|\n| {text.replace('|', '')} | 2 |")
PAGES = st.lists(PARAGRAPHS | ITEMS | CODE | TABLES, min_size=1, max_size=5).map("\n\n".join)


def rendered(page):
    return re.sub(r"\s+", " ", MarkdownIt("commonmark").enable("table").render(page))


@given(PAGES)
def test_a_wrapped_page_reads_the_same(page):
    assert rendered(wrap(page)) == rendered(page)
    assert wrap(wrap(page)) == wrap(page)


@given(PAGES)
def test_code_and_tables_keep_their_lines(page):
    kept = [line for line in page.split("\n") if line.startswith(("$", "|", "`"))]
    assert [line for line in wrap(page).split("\n") if line.startswith(("$", "|"))] == [
        line for line in kept if not line.startswith("`")
    ]


def test_paragraphs_and_items_wrap_and_items_are_indented():
    item = "1. " + "word " * 40
    lines = wrap(f"{item}\n{item}").split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert [line[:4] for line in lines] == ["1. w", "   w", "   w"] * 2
    assert long_lines(f"short\n\n{item}\n{item}") == [3, 4]


def test_pages_that_other_tools_write_are_left_out():
    names = {path.as_posix() for path in pages()}
    assert any(name.endswith("/README.md") for name in names)
    assert not [name for name in names if "docs/reference/" in name]
