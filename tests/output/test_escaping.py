"""Laws of the boundaries: nothing hidden passes, numbers stay numbers, and different texts stay different."""

import io
import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phase2.output.csv_text import csv_cell, read_csv, write_csv
from phase2.output.html_text import html_text
from phase2.output.markdown_text import Markup, code, code_line, markdown_cell, markdown_text
from phase2.output.secrets import without_secrets
from phase2.output.visible import cell, line, shorten, visible, visible_lines

HOSTILE = "\x1b]0;pwned\x07=cmd|'/C calc'!A0\u202e|<img src=x>"
ODD = "\x1b\x07\n\r\t\u202e\u2066\x9b=+-@'|`*_[]()<>&!#1.\\ aE"
TEXTS = st.text(st.characters(), max_size=40) | st.text(ODD, max_size=40)


def is_shown(text, keep=""):
    return all(c in keep or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in text)


@given(TEXTS)
@example(HOSTILE)
@example("\ud800\U000e0001")
def test_no_boundary_lets_a_hidden_character_pass(text):
    for escaped in (visible(text), line(text), cell(text), csv_cell(text), html_text(text)):
        assert is_shown(escaped)
    for escaped in (markdown_text(text), markdown_cell(text), code(text), code_line(text)):
        assert is_shown(escaped)
    assert is_shown(visible_lines(text), keep="\n\t")


@given(TEXTS)
def test_visible_text_is_that_of_json_and_escaped_once(text):
    assert visible(visible(text)) == visible(text)
    assert len(visible(text)) >= len(text)
    dumped = json.dumps(text, ensure_ascii=False)
    assert json.loads(visible(dumped)) == json.loads(dumped) or "\ud800" <= max(text) <= "\udfff"


@given(st.lists(TEXTS.filter(lambda t: "\\u" not in t), min_size=2, max_size=2, unique=True))
def test_different_texts_stay_different(texts):
    one, other = texts
    assert visible(one) != visible(other)
    assert csv_cell(one) != csv_cell(other)


@given(st.lists(st.lists(TEXTS | st.floats() | st.integers() | st.none(), min_size=2, max_size=3), max_size=4))
def test_rows_of_csv_come_back(rows):
    file = io.StringIO(newline="")
    write_csv(file, rows)
    shown = [["" if v is None else visible(v) if isinstance(v, str) else csv_cell(v) for v in row] for row in rows]
    assert list(read_csv(io.StringIO(file.getvalue(), newline=""))) == shown


@given(TEXTS)
@example("=1+1")
@example(" =1+1")
@example("\t=1+1")
@example("-2+3+cmd|' /C calc'!A0")
@example("-1.5x")
def test_no_cell_of_csv_is_a_formula(text):
    written = csv_cell(text)
    if re.match(r"\s*[=+\-@]", written):
        float(written)  # or it is a number


@pytest.mark.parametrize("value", [-1.5, 0.1, 1e-300, -7, 10**20, float("inf"), "-1.5", "+3e5", "-.5"])
def test_numbers_stay_numbers(value):
    assert float(csv_cell(value)) == float(value)


def test_a_csv_cell_of_a_missing_value_is_empty():
    assert csv_cell(None) == ""
    with pytest.raises(ValueError, match="expected after"):
        list(read_csv(['a,"b"c\n']))


@given(TEXTS)
@example(HOSTILE)
@example("]\\(")
@example("![x](http://host/p) [a][b] <b> www.host.org me@host.org ```\n# head")
def test_nothing_of_a_text_in_markdown_is_markup(text):
    for escaped in (markdown_text(text), markdown_cell(text)):
        bare = re.sub(r"\\.", " ", escaped)  # an escaped character still stands between its neighbours
        assert not set("|<>`*~$") & set(bare)
        assert "](" not in bare
        assert "://" not in bare
        assert "@" not in bare
    assert not re.match(r"\s*(#|[-+=] |\d+[.)])", markdown_text(text))


def test_markup_of_phase2_is_not_escaped_again():
    assert markdown_text(Markup("`a` *b*")) == "`a` *b*"
    assert code("a`b") == "`` a`b ``"


@given(TEXTS)
def test_code_spans_hold_their_text(text):
    span = code(text)
    fence = "`" * (len(span) - len(span.lstrip("`")))
    inside = span[len(fence) : -len(fence)]
    assert span.endswith(fence)
    assert fence not in re.findall("`+", inside)


def test_long_values_are_cut_and_their_length_stated():
    assert shorten("x" * 100, 200) == "x" * 100
    assert cell("x" * 10**6).endswith("... (1,000,000 characters)")
    assert len(line("x" * 10**6)) <= 4000


SECRETS = [
    "https://bucket.s3.amazonaws.com/a.json?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE&X-Amz-Signature=deadbeefdeadbeef",
    "https:/user:wJalrXUtnFEMIsecretKEY@host/x",
    "s3://AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMIsecretKEY@bucket/runs",
    "http://user:wJalrXUtnFEMIsecretKEY@host:9000/x#deadbeefdeadbeef",
    "aws_secret_access_key = wJalrXUtnFEMIsecretKEY",
    "{'AWSAccessKeyId': 'AKIAIOSFODNN7EXAMPLE', 'Signature': 'deadbeefdeadbeef'}",
    "Authorization: Bearer deadbeefdeadbeefdeadbeef",
]


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("around", ["{}", "GET {} failed: 403", "('{}',)", "<{}>"])
def test_no_secret_passes(text, around):
    shown = without_secrets(around.format(text))
    for secret in ("deadbeef", "wJalr", "AKIA"):
        assert secret not in shown
    assert without_secrets(shown) == shown


@given(TEXTS.filter(lambda t: ":/" not in t))
def test_texts_without_addresses_and_keys_stay(text):
    assert without_secrets(text) == text


@pytest.mark.parametrize("text", ["Write s3://bucket/prefix.", "Is it https://host/a?", "file:///a b", "a key: no"])
def test_plain_addresses_stay(text):
    assert without_secrets(text) == text
