"""A hostile record costs its own row of a data set, and a hostile archive is refused in bounded time and memory."""

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile
import zipfile

import pytest

from phase2.config.limits import ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.sources.registry import open_source
from phase2.data.store.store import open_or_build_store
from phase2.errors import DataError, LimitExceededError

from .conftest import ROOT
from .files import cif, json_record, many_elements

pytestmark = pytest.mark.timeout(1_200)  # other processes, on a machine that may be busy

PROGRAM = (str(ROOT / "scripts" / "phase2_multitask" / "process_data_phase2.py"),)
GOOD = [json_record(extra=f'"jid": "good-{k}", "band_gap": {k}, ') for k in range(12)]

RECORDS = {
    "long number": json_record(a="9" * 5_000, extra='"jid": "bad", '),
    "long id": json_record(extra='"jid": "' + "x" * 100_000 + '", '),
    "number as id": json_record(extra='"jid": ' + "9" * 5_000 + ", "),
    "long label": json_record(extra='"jid": "bad", "band_gap": ' + "9" * 5_000 + ", "),
    "long label as text": json_record(extra='"jid": "bad", "band_gap": "' + "9" * 100_000 + 'x", '),
    "nesting": json_record(coords="[" * 100_000 + "]" * 100_000, extra='"jid": "bad", '),
    "nesting elsewhere": json_record(extra='"jid": "bad", "x": ' + '{"y": [' * 50_000 + "]}" * 50_000 + ", "),
    "brackets in text": json_record(extra='"jid": "bad", "x": "' + '[{\\"' * 5_000_000 + '", '),
    "long text": json_record(extra='"jid": "bad", "x": "' + "x" * 20_000_000 + '", '),
    "escapes": json_record(extra='"jid": "bad", "x": "' + "\\\\" * 10_000_000 + '", '),
    "only text": '"' + "x" * 20_000_000 + '"',
    "many lists": json_record(extra='"jid": "bad", "x": [' + "[], " * 5_000_000 + "[]], "),
    "atoms": json_record(**many_elements(50_000), extra='"jid": "bad", '),
    "crowd": json_record(**many_elements(4_500), a="9000", extra='"jid": "bad", '),
    "nan": json_record(a="NaN", extra='"jid": "bad", '),
    "exponent": json_record(a="1e999", extra='"jid": "bad", '),
    "long element": json_record(elements='["Na", "' + "C" * 1_000_000 + '"]', extra='"jid": "bad", '),
    "null": "null",
    "truth": "true",
    "list": "[[[]]]",
    "number": "9" * 5_000,
}
LIMITED = {"long number", "long id", "number as id", "long label", "nesting", "nesting elsewhere", "brackets in text",
           "long text", "escapes", "only text", "many lists", "atoms", "number"}  # fmt: skip

PACKINGS = {
    ".json": lambda text: text.encode(),
    ".json.gz": lambda text: gzip.compress(text.encode(), 1),
    ".json.zip": lambda text: zipped({"inside.json": text.encode()}),
}


def zipped(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def build(path, cache, **options):
    return open_or_build_store(open_source(str(path), **options), GraphSpec(), cache_dir=cache, workers=1, **options)


def good_ids():
    return [f"good-{k}" for k in range(len(GOOD))]


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("lines", [False, True])
def test_one_hostile_record_costs_itself_alone(tmp_path, name, lines):
    records = [*GOOD[:6], RECORDS[name], *GOOD[6:]]
    path = tmp_path / ("data.jsonl" if lines else "data.json")
    path.write_text("\n".join(records) if lines else f"[{', '.join(records)}]")
    store = build(path, tmp_path / "cache")
    assert store.graphs.ids.tolist() == good_ids()
    (rejected,) = store.rejected
    assert len(rejected.id) <= 256
    assert len(rejected.reason) < 1_000
    assert rejected.limit == (name in LIMITED)


@pytest.mark.parametrize("packing", PACKINGS)
def test_all_of_them_together_cost_themselves_alone(tmp_path, command, packing):
    records = [one for pair in zip(GOOD, list(RECORDS.values())[: len(GOOD)], strict=True) for one in pair]
    records += list(RECORDS.values())[len(GOOD) :]
    renamed = [one.replace('"jid": "bad"', f'"jid": "bad-{k}"') for k, one in enumerate(records)]
    path = tmp_path / f"data{packing}"
    path.write_bytes(PACKINGS[packing](f"[{', '.join(renamed)}]"))
    ended = command("--data", path, program=PROGRAM)
    ended.check(3)
    assert f"{len(GOOD)} crystals ready" in ended.out
    assert f"{len(RECORDS)} records are no valid crystal" in ended.out
    assert f"{len(LIMITED)} records of" in ended.err


def test_a_text_of_gigabytes_in_megabytes_costs_its_own_row(tmp_path, command):
    path = tmp_path / "data.json.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(f"[{', '.join(GOOD)}, ".encode() + b'{"jid": "bomb", "x": "')
        for _ in range(300):
            file.write(b"x" * 10_000_000)
        file.write(b'"}, ' + json_record(extra='"jid": "last", ').encode() + b"]")
    assert path.stat().st_size < 20_000_000
    ended = command("--data", path, program=PROGRAM)
    ended.check(3, peak_bytes=1_000_000_000)
    assert f"{len(GOOD) + 1} crystals ready" in ended.out
    assert "data.limits.record_length" in ended.err


@pytest.mark.parametrize("packing", [".json.gz", ".json.zip"])
def test_nothing_is_decompressed_beyond_the_limit(tmp_path, packing):
    path = tmp_path / f"data{packing}"
    path.write_bytes(PACKINGS[packing](f"[{', '.join(GOOD)}, {' ' * 5_000_000} 1]"))
    limits = ReadingLimits(unpacked_bytes=1_000_000)
    with pytest.raises(LimitExceededError, match=r"data\.limits\.unpacked_bytes"):
        build(path, tmp_path / "cache", limits=limits)
    raised = ReadingLimits(unpacked_bytes=6_000_000)
    assert len(build(path, tmp_path / "cache", limits=raised).graphs) == len(GOOD)


def encrypted():
    """An archive whose only member says that it is encrypted."""
    content = bytearray(zipped({"a.json": b"[]"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    return bytes(content)


def unknown_method():
    """An archive whose only member is compressed in a way that nobody knows."""
    content = bytearray(zipped({"a.json": b"[]"}))
    for magic, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(magic) + offset] = 250
    return bytes(content)


def overlapping():
    """An archive whose directory names its member a hundred times."""
    whole = zipped({"a.json": b"[]"})
    start, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    entry, tail = whole[start:end], bytearray(whole[end:])
    tail[8:12] = (100).to_bytes(2, "little") * 2
    tail[12:16] = (100 * len(entry)).to_bytes(4, "little")
    return whole[:start] + entry * 100 + bytes(tail)


def tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.json"))
    return buffer.getvalue()


ARCHIVES = {
    "encrypted": encrypted,
    "unknown method": unknown_method,
    "overlapping": overlapping,
    "many members": lambda: zipped({f"{k}.json": b"" for k in range(20_000)}),
    "long names": lambda: zipped({"n" * 60_000 + f"{k}.txt": b"" for k in range(200)}),
    "odd paths": lambda: zipped({"../../a.json": b"[]", "/etc/b.json": b"[]", "C:\\c.json": b"[]"}),
    "empty": lambda: zipped({}),
    "zip of zip": lambda: zipped({"a.json": zipped({"a.json": b"[]"})}),
    "gzip of gzip": lambda: gzip.compress(gzip.compress(b"[]")),
    "cut bzip2 member": lambda: zipped({"a.json": os.urandom(3_000)}, zipfile.ZIP_BZIP2)[:-1_500],
    "bzip2": lambda: bz2.compress(b"[]"),
    "xz": lambda: lzma.compress(b"[]"),
    "tar": tar,
    "utf-16": lambda: "[]".encode("utf-16"),
    "zeros": lambda: bytes(10_000),
    "noise": lambda: os.urandom(10_000),
    "blanks": lambda: b" " * 50_000_000,
    "open lists": lambda: b"[" * 10_000_000,
    "open text": lambda: b'["' + b"x" * 30_000_000,
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_file_that_is_no_data_set_is_an_error_of_data(tmp_path, name):
    for suffix in (".json", ".json.gz", ".json.zip"):
        path = tmp_path / f"data{suffix}"
        path.write_bytes(ARCHIVES[name]())
        with pytest.raises(DataError, match="data"):
            build(path, tmp_path / "cache")


@pytest.mark.parametrize("name", ["lzma member", "bzip2 member"])
def test_what_python_decompresses_is_read(tmp_path, name):
    method = zipfile.ZIP_LZMA if name.startswith("lzma") else zipfile.ZIP_BZIP2
    path = tmp_path / "data.json.zip"
    path.write_bytes(zipped({"a.json": f"[{', '.join(GOOD)}]".encode()}, method))
    assert len(build(path, tmp_path / "cache").graphs) == len(GOOD)


def test_damaged_members_are_errors_of_data(tmp_path):
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED):
        whole = zipped({"a.json": json.dumps([os.urandom(64).hex() for _ in range(100)]).encode()}, method)
        for at in range(60, len(whole) - 100, 97):
            path = tmp_path / "data.json.zip"
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
            with pytest.raises(DataError):
                build(path, tmp_path / "cache")


class TestTables:
    """CSV of targets beside structures."""

    ROWS = tuple(f"s{k}.cif,{k}" for k in range(20))

    def write(self, folder, *rows, headings="file,band_gap", encoding="utf-8"):
        for k in range(20):
            (folder / f"s{k}.cif").write_text(cif())
        content = "\n".join([headings, *self.ROWS[:10], *rows, *self.ROWS[10:]]) + "\n"
        (folder / "targets.csv").write_bytes(content.encode(encoding, "surrogateescape"))

    @pytest.mark.parametrize(
        "row",
        [
            's3.cif,"never closed',
            "s3.cif,1,2",
            "s3.cif",
            "s3.cif," + "9" * 200_000,
            's3.cif,"' + "9" * 200_000 + '"',
            "s3.cif,\udcff",
            "s3.cif," + "1," * 100_000,
            "x" * 10_000 + ".cif,1",
            "/etc/passwd,1",
            "s99.cif,1\0",
            ",",
        ],
        ids=["quote", "three", "one", "long", "quoted", "byte", "cells", "name", "outside", "zero", "no name"],
    )
    def test_a_hostile_row_costs_itself_alone(self, tmp_path, row):
        self.write(tmp_path, row)
        store = build(tmp_path, tmp_path / "cache")
        assert store.graphs.ids.tolist() == [f"s{k}" for k in range(20)]
        assert len(store.rejected) <= 1
        assert all(len(one.reason) < 1_000 for one in store.rejected)

    def test_one_wrong_cell_of_a_column_without_labels_costs_its_own_row(self, tmp_path):
        self.write(tmp_path, headings="file,band_gap,ehull")
        rows = [f"s{k}.cif,{k}," for k in range(20)]
        rows[7] += "\0"
        (tmp_path / "targets.csv").write_text("file,band_gap,ehull\n" + "\n".join(rows))
        store = build(tmp_path, tmp_path / "cache")
        assert [one.id for one in store.rejected] == ["s7"]
        assert len(store.graphs) == 19

    @pytest.mark.parametrize(
        ("content", "limit"),
        [
            (b"file," + b"x," * 2_000 + b"band_gap\n" + b"s1.cif," * 2_001 + b"1\n", "columns"),
            (b"file,band_gap\n" + b"\n" * 50_000, "records"),
            (b"file,band_gap\n" + b"s1.cif,1\n" * 2_000_000, "table_bytes"),
        ],
    )
    def test_a_table_beyond_a_limit_is_refused(self, tmp_path, content, limit):
        (tmp_path / "targets.csv").write_bytes(content)
        limits = ReadingLimits(records=40_000, table_bytes=10_000_000)
        with pytest.raises(LimitExceededError, match=rf"data\.limits\.{limit}"):
            build(tmp_path, tmp_path / "cache", limits=limits)

    def test_folders_within_folders_are_no_recursion(self, tmp_path):
        self.write(tmp_path)
        # By programs, as Python's own functions for it are recursive.
        subprocess.run(["mkdir", "-p", tmp_path / "/".join("d" * 1_500)], check=True)
        try:
            assert len(build(tmp_path, tmp_path / "cache").graphs) == 20
        finally:
            subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_pipe_is_no_data_set(tmp_path):
    path = tmp_path / "data.json"
    os.mkfifo(path)
    with pytest.raises(DataError, match="no regular file"):
        open_source(str(path))


def test_limits_that_are_changed_make_another_store_and_defaults_do_not(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(f"[{', '.join(GOOD)}]")
    stores = {
        build(path, tmp_path / "cache", **options).path.name
        for options in ({}, {"limits": ReadingLimits()}, {"limits": ReadingLimits(atoms=5)})
    }
    assert len(stores) == 2
