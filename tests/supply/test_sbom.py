"""Bills of materials: valid CycloneDX, complete, with hashes and licences, and the same twice."""

import json
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

import phase2
from phase2.web.vendored import LIBRARIES
from tools.generated import ROOT
from tools.supply import installed, sbom
from tools.supply.constraints import pinned

DIGEST = f"sha256:{'b' * 64}"
FOUND = {
    "debian": [{"name": "libc6", "version": "2.41-12", "architecture": "amd64", "license": "LGPL-2.1+"}],
    "python": [
        {"name": "numpy", "version": "2.5.5", "license": "BSD-3-Clause"},
        {"name": "Py_Other", "version": "0.1", "license": ""},
    ],
}


def complaints(text):
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


@pytest.fixture(scope="module")
def wheel():
    return sbom.as_json(sbom.wheel())


@pytest.fixture(scope="module")
def image():
    return sbom.as_json(sbom.of_image("registry.example.com/phase2:1", DIGEST, FOUND))


def components(text):
    return {one["name"]: one for one in json.loads(text)["components"]}


def test_both_are_valid(wheel, image):
    assert complaints(wheel) is None
    assert complaints(image) is None


def test_the_validator_refuses_what_is_none(wheel):
    assert complaints(wheel.replace('"purl"', '"url-of-package"'))


def test_the_wheel_lists_every_pinned_package_with_its_hashes(wheel):
    found = components(wheel)
    packages = pinned("train")
    assert found.keys() == {one.name for one in packages} | {one.package for one in LIBRARIES.values()}
    for one in packages:
        (source,) = found[one.name]["externalReferences"]
        assert tuple(sorted(each["content"] for each in source["hashes"])) == one.hashes
        assert one.hashes
    assert json.loads(wheel)["metadata"]["component"]["version"] == phase2.__version__


def test_licences_are_those_of_the_installed_packages(wheel):
    found = components(wheel)
    here = {canonicalize_name(one["name"]) for one in installed.python() if one["license"]}
    assert {name for name in found if "licenses" not in found[name]} <= found.keys() - here
    assert found["boto3"]["licenses"][0]["license"]["id"] == "Apache-2.0"


def test_linux_gets_no_package_of_windows_and_one_numpy():
    names = [one.name for one in pinned("train")]
    assert "colorama" not in names
    assert len(names) == len(set(names)) > 50
    assert {one.version for one in pinned("train", "3.11") if one.name == "numpy"} != {
        one.version for one in pinned("train") if one.name == "numpy"
    }


def test_both_list_the_javascript_inside_the_package(wheel, image):
    for bill in (wheel, image):
        found = components(bill)["plotly.js-basic-dist-min"]
        assert found["purl"] == f"pkg:npm/plotly.js-basic-dist-min@{LIBRARIES['plotly'].version}"
        assert found["hashes"] == [{"alg": "SHA-256", "content": LIBRARIES["plotly"].sha256}]
        assert found["licenses"][0]["license"]["id"] == "MIT"


def test_an_image_lists_debian_and_python_with_the_hashes_that_are_known(image):
    found = components(image)
    assert found["libc6"]["purl"] == "pkg:deb/debian/libc6@2.41-12?arch=amd64"
    assert found["numpy"]["externalReferences"][0]["hashes"]
    assert "externalReferences" not in found["py-other"]
    about = json.loads(image)["metadata"]["component"]
    assert (about["type"], about["version"]) == ("container", DIGEST)


def test_the_same_twice_and_another_for_another_content(image):
    again = sbom.as_json(sbom.of_image("registry.example.com/phase2:1", DIGEST, FOUND))
    assert again == image
    other = sbom.as_json(sbom.of_image("registry.example.com/phase2:1", DIGEST, {**FOUND, "debian": []}))
    assert json.loads(other)["serialNumber"] != json.loads(image)["serialNumber"]


def test_this_system_is_listed():
    """The script that runs inside images, run here."""
    assert {one["name"] for one in installed.python()} >= {"numpy", "pydantic"}
    if installed.DPKG.exists():
        assert "dpkg" in {one["name"] for one in installed.debian()}


def test_it_needs_the_standard_library_alone():
    text = Path(installed.__file__).read_text()
    names = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert names <= set(sys.stdlib_module_names)


def test_image_constraints_have_nothing_of_this():
    for name in ("core", "train", "tools"):
        assert "cyclonedx" not in (ROOT / "constraints" / f"{name}.txt").read_text()
