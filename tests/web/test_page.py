"""The base of all pages: what is put in stays text, nothing is requested, and scripts are named by their hashes."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from phase2.web.embedding import as_json
from phase2.web.page import Page
from phase2.web.vendored import LIBRARIES, library_text
from tools import web_assets

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202eabc"
TEMPLATE = """{% extends "base.html" %}
{% block title %}{{ name }}{% endblock %}
{% block heading %}{{ name }}{% endblock %}
{% block main %}<p title="{{ name }}">{{ name }}</p>{{ nothing }}{% endblock %}
"""


class Elements(HTMLParser):
    """Collects the elements of a page, and the texts of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._open = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self._open = dict(attrs).get("type", "")
            self.scripts.append([self._open, ""])

    def handle_endtag(self, tag):
        if tag == "script":
            self._open = None

    def handle_data(self, data):
        if self._open is not None:
            self.scripts[-1][1] += data


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "pages_of_a_test"
    (folder / "templates").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "templates" / "page.html").write_text(TEMPLATE)
    (folder / "templates" / "own.js").write_text("const own = 1 < 2 && '<b>';")
    (folder / "templates" / "own.css").write_text("p > b { color: red; }")
    monkeypatch.syspath_prepend(tmp_path)
    yield "pages_of_a_test"
    sys.modules.pop("pages_of_a_test", None)
    from phase2.web.templating import environment

    environment.cache_clear()


def test_hostile_text_stays_text(package):
    text = Page(package, "page.html").render({"name": HOSTILE, "nothing": None}, data={"run": {HOSTILE: [HOSTILE]}})
    found = Elements(text)
    assert not [tag for tag, _ in found.elements if tag == "img"]
    assert "\x1b" not in text
    assert "\u202e" not in text
    (paragraph,) = [attributes for tag, attributes in found.elements if tag == "p"]
    assert paragraph["title"].startswith("</script><script>alert(1)")
    (data,) = [content for kind, content in found.scripts if kind == "application/json"]
    ((name, (value,)),) = json.loads(data).items()
    assert name == value
    assert name.startswith("</script><script>alert(1)</script>")


def test_the_policy_names_each_script_by_its_hash_and_allows_no_request(package):
    page = Page(package, "page.html", styles=("own.css",), scripts=("own.js",), libraries=("plotly",))
    found = Elements(page.render({"name": "a", "nothing": ""}))
    (policy,) = [each["content"] for _, each in found.elements if each.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    scripts = [content for kind, content in found.scripts if not kind]
    assert len(scripts) == 4
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    assert rules["script-src"].split() == [f"'sha256-{one}'" for one in hashes]


def test_a_page_that_is_served_may_ask_its_server_alone(package):
    text = Page(package, "page.html", connect=True).render({"name": "a", "nothing": ""})
    (policy,) = [each["content"] for _, each in Elements(text).elements if "http-equiv" in each]
    assert "connect-src 'self'" in policy


def test_scripts_of_a_page_that_loads_others_may_and_no_markup_may(package):
    text = Page(package, "page.html", loads_scripts=True).render({"name": "a", "nothing": ""})
    (policy,) = [each["content"] for _, each in Elements(text).elements if "http-equiv" in each]
    (sources,) = [rule.split()[1:] for rule in policy.split("; ") if rule.startswith("script-src")]
    assert sources[-1] == "'strict-dynamic'"
    assert all(source.startswith("'sha256-") for source in sources[:-1])


def test_nothing_is_loaded_from_anywhere(package):
    page = Page(package, "page.html", libraries=tuple(LIBRARIES))
    found = Elements(page.render({"name": "a", "nothing": ""}))
    for _, attributes in found.elements:
        assert not {"src", "srcset", "action"} & attributes.keys()
        assert re.match(r"#|data:", attributes.get("href", "#"))


def test_a_name_that_is_missing_is_an_error(package):
    with pytest.raises(UndefinedError, match="nothing"):
        Page(package, "page.html").render({"name": "a"})


def test_scripts_and_styles_are_written_as_they_are(package):
    text = Page(package, "page.html", styles=("own.css",), scripts=("own.js",)).render({"name": "a", "nothing": ""})
    assert "const own = 1 < 2 && '<b>';" in text
    assert "p > b { color: red; }" in text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_embedded_data_is_json_that_no_text_can_end(value):
    text = as_json(value)
    json.loads(text)
    assert not set("<>&\u2028\u2029") & set(text)
    text.encode()


def test_the_vendored_files_are_those_that_are_declared(tmp_path):
    assert web_assets.problems(web_assets.FOLDER) == []
    for path in web_assets.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    one = LIBRARIES["plotly"]
    (tmp_path / one.file).write_text(library_text("plotly") + " ")
    (tmp_path / one.license_file).unlink()
    (tmp_path / "other.js").touch()
    assert [line.split()[0] for line in web_assets.problems(tmp_path)] == sorted(
        [one.file, one.license_file, "other.js"]
    )


@pytest.mark.parametrize("key", LIBRARIES)
def test_libraries_can_be_written_into_a_page(key):
    text = library_text(key)
    assert "</script" not in text.lower()
    assert "<!--" not in text
    assert "\r" not in text


def test_the_base_loads_no_jinja_until_a_page_is_made():
    code = "import sys, phase2.web.page; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
