"""The streaming reader gives what json.load gives, and says where a file is wrong."""

import gzip
import io
import json
import math
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files import json_cursor
from phase2.data.crystals.files.json_stream import stream_records
from phase2.errors import DataError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=4)
NAMES = st.text(max_size=6).filter(lambda name: name.isupper() or not name.isidentifier())
"""Names of records: none of the keys that mean something at the top of a document, such as ``schema``."""

any_window = pytest.mark.parametrize("window", [1, 7, 1 << 20])


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@any_window
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(VALUES, max_size=6), indent=st.sampled_from([None, 2]))
def test_a_list_streams_like_json_load(tmp_path, monkeypatch, window, records, indent):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records, indent=indent), encoding="utf-8")
    assert [record for _, record in stream_records(path)] == json.loads(path.read_text(encoding="utf-8"))


@any_window
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.dictionaries(NAMES, OBJECTS, max_size=5))
def test_an_object_of_records_streams_with_its_keys(tmp_path, monkeypatch, window, records):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    assert dict(stream_records(path)) == records


@any_window
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(OBJECTS, max_size=6), ending=st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_lines(tmp_path, monkeypatch, window, records, ending):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    path = tmp_path / "a.jsonl"
    path.write_bytes(ending.join(json.dumps(record) for record in records).encode())
    assert [record for _, record in stream_records(path)] == records


@any_window
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: zipped({"a.json": text, "readme.txt": "x"})])
def test_compression_is_told_from_the_content(tmp_path, monkeypatch, window, pack):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    path = tmp_path / "a.json"
    path.write_bytes(pack(b'\xef\xbb\xbf[{"jid": 1}, {"jid": -Infinity}]'))
    assert [record for _, record in stream_records(path)] == [{"jid": 1}, {"jid": -math.inf}]


def test_bare_nan_and_infinity(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[NaN, Infinity, -Infinity]")
    values = [value for _, value in stream_records(path)]
    assert isinstance(values[0], float)
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]


@any_window
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[{"a": 1},\n {"a": 2},\n {"a" 3}]', "line 3, column 7"),
        ('[{"a": 1},\n {"a": 2}', "line 2, column 10"),
        ('[{"a": 1}\n {"a": 2}]', "line 2, column 2"),
        ('[{"a": 1},]', "line 1, column 11"),
        ('[{"a": "never ends', "line 1, column 8"),
        ('[{"a": 1}]\n[', "line 2, column 1"),
        ("", "line 1, column 1"),
        ("nonsense", "line 1, column 1"),
        ("<html>", "line 1, column 1"),
        ('{"a" {}}', "line 1, column 6"),
        ("{1: {}}", "line 1, column 2"),
        ('{"a": {"lattice_mat": 1}, "b": {"lattice_mat": 1}, "c": 5}', "'c' holds no record"),
        ('{"a": {}}\n{"a": {}}', "line 2, column 1"),
    ],
)
def test_damage_is_located(tmp_path, monkeypatch, window, text, where):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        list(stream_records(path))
    assert str(path) in str(caught.value)
    assert where in str(caught.value)


@any_window
def test_a_damaged_line_is_located_and_costs_itself_alone(tmp_path, monkeypatch, window):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": oh}\n{"a": [{"b"\n{"a": 2}\n')
    first, damaged, cut, last = (record for _, record in stream_records(path))
    assert (first, last) == ({"a": 1}, {"a": 2})
    assert isinstance(damaged, json_cursor.Unreadable)
    assert isinstance(cut, json_cursor.Unreadable)
    assert "line 2, column 7" in damaged.reason
    assert "line 4" in cut.reason
    assert not damaged.limit
    assert not cut.limit


@any_window
@pytest.mark.parametrize(
    ("text", "where"), [('{"a": 1} {"a": 2}', "line 1"), ('{"a": 1}\n{"a": "cut off', "line 2, column 7")]
)
def test_lines_that_cannot_be_told_apart_are_located(tmp_path, monkeypatch, window, text, where):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=where):
        list(stream_records(path))


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b'[{"jid": 1}]' * 100)[:-20],
        gzip.compress(b"[]")[:6] + b"broken",
        zipped({"a.json": b"[1]" * 500})[:80],
        b'["\xff"]',
        '[{"jid": 1}]'.encode("utf-16"),
        b"[" * 100_000,
    ],
    ids=["gzip cut", "gzip broken", "zip cut", "latin-1", "utf-16", "too deep"],
)
def test_unreadable_files_are_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json"):
        list(stream_records(path))


def test_zip_members(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"one.json": "[1]", "two.jsonl": "{}\n{}"}))
    assert [record for _, record in stream_records(path, "one.json")] == [1]
    assert [record for _, record in stream_records(path, "two.jsonl")] == [{}, {}]
    with pytest.raises(DataError, match=r"no three\.json"):
        list(stream_records(path, "three.json"))
    with pytest.raises(DataError, match="2 JSON files"):
        list(stream_records(path))


def test_an_early_error_is_found_without_reading_on(tmp_path, monkeypatch):
    monkeypatch.setattr(json_cursor, "CHUNK", 100)
    read = []
    path = tmp_path / "a.json"
    path.write_text('[{"a": oops},' + '{"a": 1},' * 100_000 + "{}]")

    class Counting(io.TextIOWrapper):
        def read(self, size=-1):
            read.append(size)
            return super().read(size)

    monkeypatch.setattr(io, "TextIOWrapper", Counting)
    with pytest.raises(DataError, match="line 1, column 8"):
        list(stream_records(path))
    assert sum(read) < 1_000


@any_window
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=VALUES, value=VALUES | st.text('\\"[]{}, ', max_size=12), after=VALUES)
def test_a_value_is_passed_over_to_its_end(tmp_path, monkeypatch, window, before, value, after):
    monkeypatch.setattr(json_cursor, "CHUNK", window)
    long = [value, "x" * 200]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([before, long, value, after]), encoding="utf-8")
    limits = ReadingLimits(record_length=150)
    first, passed, second, last = (record for _, record in stream_records(path, limits=limits))
    assert isinstance(passed, json_cursor.Unreadable)
    assert passed.limit
    for record, expected in ((first, before), (second, value), (last, after)):
        assert record == expected or (isinstance(record, json_cursor.Unreadable) and len(json.dumps(expected)) > 150)
