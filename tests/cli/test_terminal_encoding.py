"""A terminal that lacks characters of a name shows it escaped, wherever names are printed."""

import io
import json
import sys

import pytest
from typer import Typer

from phase2.cli import main
from phase2.cli.console import echo, echo_encoded, echo_text, note, print_table
from phase2.cli.process.boundary import run

NAME = "M\u00fcller \u7d50\u6676 #1"
POSCAR = "x\n1.0\n5 0 0\n0 5 0\n0 0 5\nNa Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"


@pytest.fixture(params=["latin-1", "ascii", "shift_jis"])
def terminal(request, monkeypatch):
    """Return a function that replaces the standard streams by those of such a terminal."""

    def begin():
        wrapped = {
            name: io.TextIOWrapper(io.BytesIO(), encoding=request.param, errors="strict", write_through=True)
            for name in ("stdout", "stderr")
        }
        for name, stream in wrapped.items():
            monkeypatch.setattr(sys, name, stream)
        return lambda name: wrapped[name].buffer.getvalue().decode(request.param)

    return begin


def test_all_ways_to_print_escape_what_cannot_be_shown(terminal):
    streams = terminal()
    text = f"{NAME} \u2713 \U0001f600 \u2212"

    app = Typer()

    @app.command()
    def command():
        echo(text)
        echo_text(text + "\n")
        echo_encoded(text)
        note(text)
        print_table(text, ("name", text), [(text, "1")])
        print(text)  # noqa: T201

    assert run(app, []) == 0
    assert streams("stdout").count("#1") == 7
    assert "\\ud83d\\ude00" in streams("stdout")
    assert "\\u2713" in streams("stderr")


def test_a_folder_of_such_a_name_is_described(terminal, tmp_path, monkeypatch):
    streams = terminal()
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / f"{NAME}.vasp").write_text(POSCAR)
    (folder / f"{NAME}.txt").write_text("")
    (folder / "targets.csv").write_text(f"file,band_gap\n{NAME}.vasp,-1.2\n{NAME}.cif,1\n", encoding="utf-8")
    assert main(["data", "describe", "--data", str(folder)]) == 0
    assert "1 crystal, 1 record rejected" in " ".join(streams("stdout").split())
    assert main(["data", "describe", "--data", str(folder), "--format", "json"]) == 0
    assert json.loads("{" + streams("stdout").partition("\n{")[2])["source"].endswith(NAME)


def test_an_error_that_names_it_is_an_error_of_data(terminal, tmp_path):
    streams = terminal()
    assert main(["data", "describe", "--data", str(tmp_path / NAME)]) == 3
    assert "Internal error" not in streams("stderr")
