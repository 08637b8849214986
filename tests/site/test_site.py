"""The site opens from the disk, reads nothing from a host, and has every page that it should have."""

import json
import re
from html.parser import HTMLParser

import pytest

import phase2
from tools.generated import ROOT

pytestmark = pytest.mark.slow

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
"""Elements that a browser loads something for, and the attribute that says what."""


class Loaded(HTMLParser):
    """Addresses that a page loads."""

    def __init__(self, page):
        super().__init__()
        self.addresses = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if address := found.get(LOADING.get(tag, "")):
            self.addresses.append(address)
        self.addresses += re.findall(r"url\(['\"]?([^)'\"]+)", found.get("style") or "")


def is_elsewhere(address):
    return re.match(r"(\w+:)?//", address) is not None


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_no_page_loads_anything_from_a_host(pages):
    assert len(pages) > 90
    loaded = {(name, address) for name, page in pages.items() for address in Loaded(page).addresses}
    assert len(loaded) > len(pages)
    assert {found for found in loaded if is_elsewhere(found[1])} == set()


def test_no_style_sheet_loads_anything_from_a_host(site):
    sheets = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert sheets
    assert [found for sheet in sheets for found in re.findall(r"url\(([^)]+)\)", sheet) if is_elsewhere(found)] == []


def test_an_address_of_a_host_would_be_found():
    page = Loaded('<link href="//fonts.example.com/a"><p style="background: url(https://a.b/c.png)">')
    assert [is_elsewhere(address) for address in page.addresses] == [True, True]


def test_pages_link_to_files_since_the_disk_has_no_index(pages):
    ends = {link.partition("#")[0] for page in pages.values() for link in re.findall(r'<a [^>]*href="([^"]*)"', page)}
    assert [link for link in ends if link.endswith("/") and not is_elsewhere(link)] == []


def test_the_search_index_is_a_script_and_has_every_page(site, pages):
    text = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("var __index = "))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert pages.keys() - found == {"404.html"}


def test_search_from_the_disk_has_what_it_needs(site, pages):
    assert 'src="assets/iframe-worker.js"' in pages["index.html"]
    assert "IFrameWorker" in (site / "assets" / "iframe-worker.js").read_text(encoding="utf-8")


def test_every_public_name_has_an_entry(pages):
    entries = re.findall(r'id="phase2\.[\w.]+\.(\w+)"', pages["reference/python.html"])
    assert {name for name in phase2.__all__ if not name.startswith("__")} <= set(entries)


def test_pages_from_outside_of_docs_are_there(pages):
    assert "Each step names the module that does it" in pages["explanation/architecture.html"]
    assert "image.digest" in pages["reference/chart.html"]
    assert "<th>band_gap [eV]</th>" in pages["tutorials/first-model.html"]


def test_the_pictures_of_a_notebook_are_those_of_its_outputs(pages):
    notebook = json.loads((ROOT / "docs" / "tutorials" / "first-model.ipynb").read_text())
    outputs = [one.get("data", {}) for cell in notebook["cells"] for one in cell.get("outputs", [])]
    drawn = ["".join(data["image/png"]).strip() for data in outputs if "image/png" in data]
    assert drawn
    assert re.findall('src="data:image/png;base64,([^"]*)"', pages["tutorials/first-model.html"]) == drawn
