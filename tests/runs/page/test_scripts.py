"""Data in scripts: no text in it is anything else, and names say what is in a file."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.runs.page.scripts import content_name, is_content_name, script

HOSTILE = "</script><script>alert(1)</script><!--\u2028\u2029 & \\u003c '\"`${x}"


def test_what_could_end_a_script_is_escaped():
    content = script("f", {HOSTILE: HOSTILE}).decode()
    assert not {"<", ">", "&", "\u2028", "\u2029"} & set(content)
    assert json.loads(content.removeprefix("f(").removesuffix(");\n")) == {HOSTILE: HOSTILE}


@pytest.mark.skipif(shutil.which("node") is None, reason="There is no Node.js")
@settings(max_examples=5)
@given(st.lists(st.text(), max_size=20))
def test_javascript_reads_what_was_written(texts):
    program = script("console.log(JSON.stringify", texts).decode().replace(");\n", "));\n")
    done = subprocess.run(
        ["node", "-"], input=program.encode("utf-8", "surrogatepass"), capture_output=True, check=True
    )
    assert json.loads(done.stdout) == texts


def test_a_number_that_json_lacks_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        script("f", float("nan"))


def test_names_are_those_of_the_content():
    assert content_name("data", b"1") != content_name("data", b"2")
    assert content_name("assets", b"1", title="plotly").startswith("assets/plotly-")
    for name in (content_name("data", b"1"), content_name("assets", b"1", title="plotly", suffix="css")):
        assert is_content_name(name)
    for name in ("data/mine.js", "data/../x.js", "index.html", "curves/0123456789abcdef0123.js.bak", "data/notes.txt"):
        assert not is_content_name(name)
