"""YAML as configuration files and ``--set`` have it: values mean what they look like, and nothing else is read."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.config.assignments import format_value
from phase2.config.yaml_text import LONGEST, parse_yaml
from phase2.errors import RequestError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3), ("5E4", 5e4), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("-2", -2), ("012", 12), ("+3", 3),
        ("null", None), ("~", None), ("true", True), ("False", False),
        ("on", "on"), ("yes", "yes"), ("none", "none"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"), ("0x10", "0x10"), ("1e", "1e"), ("e3", "e3"), ("e3nn", "e3nn"),
        ("[0.7,0.2,0.1]", [0.7, 0.2, 0.1]), ("'20'", "20"), ("a: {b: [1, x]}", {"a": {"b": [1, "x"]}}),
    ],
)  # fmt: skip
def test_values_mean_what_they_look_like(text, value):
    found = parse_yaml(text, "here")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1\nb: *x", "line 1 .*anchors"),
        ("a: *x", "anchors"),
        ("a: !!python/object/apply:os.system [id]", "tag"),
        ("a: !!str 5", "tag"),
        ("a: 1\nb: 2\na: 3", "line 3 .*'a' is there twice"),
        ("a:\n  b: 1\n  b: 2", "line 3 .*twice"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("1: 2", "no name"),
        ("[a, b]: 2", "no name"),
        ("a: [1", "cannot be read"),
        ("a: 1\n---\nb: 2", "cannot be read"),
        ("a: \x07", "cannot be read"),
        ("[" * 5000, "cannot be read"),
        ("{" + '"a":{' * 5000, "cannot be read"),
        ("#" * (LONGEST + 1), "more than"),
        ("9" * 5000, "too long"),
    ],
    ids=range(16),
)
def test_everything_else_is_refused_with_its_place(text, says):
    with pytest.raises(RequestError, match=says):
        parse_yaml(text, "run.yaml")


def test_json_may_be_indented_with_tabs():
    assert parse_yaml('{\n\t"training": {\n\t\t"lr": 1e-3\n\t}\n}', "run.json") == {"training": {"lr": 1e-3}}


scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=20)
values = scalars | st.lists(scalars | st.lists(scalars, max_size=3), max_size=4)


@given(values)
def test_a_formatted_value_is_read_back(value):
    found = parse_yaml(f"x: {format_value(value)}", "here")
    assert found == {"x": value}
    assert repr(found["x"]) == repr(value)


@given(st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)))
def test_json_is_read_as_json_is(value):
    assert parse_yaml(json.dumps({"x": value}), "here") == {"x": value}


def test_a_number_that_is_none_is_read_as_such_to_be_refused_by_its_setting():
    value = parse_yaml(".nan", "here")
    assert isinstance(value, float)
    assert math.isnan(value)
    assert parse_yaml("-.inf", "here") == -math.inf
