"""What the site does beyond MkDocs: navigation, links that leave docs, notebooks, formulas."""

import json
from xml.etree import ElementTree as ET

import pytest
from markdown import markdown

from tools.site.formulas import drawing, fence
from tools.site.navigation import navigation
from tools.site.notebooks import notebook_page
from tools.site.outside import links_in_site

INDEX = """\
# phase2

[Not a page of the navigation](how-to/none.md).

## How to

- [One of
  two lines](how-to/one.md): text
- [Elsewhere](https://example.com)

### Group

- [Two](how-to/two.md)

## Explanation

- [Outside](../ARCHITECTURE.md)

## Decisions

- [All](decisions/README.md)
"""


def test_the_navigation_is_the_index(tmp_path):
    (tmp_path / "decisions").mkdir()
    for name in ("README", "002-b", "001-a"):
        (tmp_path / "decisions" / f"{name}.md").touch()
    assert navigation(INDEX, tmp_path, {"../ARCHITECTURE.md": "explanation/architecture.md"}) == [
        {"Home": "README.md"},
        {"How to": [{"One of two lines": "how-to/one.md"}, {"Group": [{"Two": "how-to/two.md"}]}]},
        {"Explanation": [{"Outside": "explanation/architecture.md"}]},
        {"Decisions": ["decisions/README.md", "decisions/001-a.md", "decisions/002-b.md"]},
    ]


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("docs/how-to/helm.md", "../../ARCHITECTURE.md#layers", "../explanation/architecture.md#layers"),
        ("docs/how-to/helm.md", "argo.md#the-policies", "argo.md#the-policies"),
        ("CONTRIBUTING.md", "docs/conventions.md#glossary", "../conventions.md#glossary"),
        ("CONTRIBUTING.md", "SECURITY.md", "security.md"),
        ("docs/README.md", "tutorials/screening.ipynb", "tutorials/screening.md"),
        ("docs/README.md", "#here", "#here"),
        ("docs/README.md", "https://example.com/a.md", "https://example.com/a.md"),
    ],
)
def test_links_lead_to_where_their_targets_are(source, link, expected):
    assert links_in_site(f"[a]({link}) `[b]({link})`", source) == f"[a]({expected}) `[b]({link})`"
    assert links_in_site(f"text\n\n[a]: {link}\n", source) == f"text\n\n[a]: {expected}\n"


def test_code_keeps_its_brackets():
    page = "```python\nrows[0](../../ARCHITECTURE.md)\n```\n"
    assert links_in_site(page, "docs/how-to/python.md") == page


def test_a_notebook_has_its_text_code_and_outputs():
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Text."]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": ["2"]}}]},
        {"cell_type": "code", "source": "print(3)", "outputs": [{"output_type": "stream", "text": ["3\n"]}]},
        {"cell_type": "code", "source": "plot()", "outputs": [{"data": {"image/png": "AAAA", "text/plain": "x"}}]},
    ]
    page = notebook_page(json.dumps({"cells": cells}), "a.ipynb")
    assert page.startswith("# Title\n\n[This page is a notebook](a.ipynb)")
    assert "Text." in page
    assert "```python\n1 + 1\n```\n\n```text\n2\n```" in page
    assert "```text\n3\n```" in page
    assert "](data:image/png;base64,AAAA)" in page


def test_a_formula_is_a_drawing_with_its_text_for_those_who_hear_it():
    svg = ET.fromstring(drawing(r"\frac{1}{2} < \sum_p w_p"))
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == r"\frac{1}{2} < \sum_p w_p"
    assert svg[0].get("d").startswith("M")


def test_a_formula_stands_on_the_line():
    def depth(tex):
        return float(ET.fromstring(drawing(tex)).get("style").rpartition(":")[2].removesuffix("em"))

    assert depth("x_p") < depth("x") <= 0


def test_what_mathtext_does_not_know_is_an_error():
    with pytest.raises(ValueError, match="begin"):
        drawing(r"\begin{matrix}")


def test_dollars_are_formulas_in_text_alone():
    page = markdown("Of $x$ and `$ phase2 train` for $5 or $6.", extensions=["tools.site.formulas"])
    assert page.count("<svg") == 1
    assert "<code>$ phase2 train</code>" in page
    assert "$5 or $6" in page


def test_every_line_of_a_block_is_a_formula():
    assert fence("a = b\n\nc = d\n", "math", "formula").count("<svg") == 2
