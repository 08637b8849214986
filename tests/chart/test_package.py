"""``make chart``: a package that says which image it is for, and installs that one."""

import os
import subprocess
import sys
import tarfile

import pytest
import yaml

from phase2 import __version__

from .rendering import CHART, PROJECT, SCRIPTS, named, pod_specs

DIGEST = "sha256:" + "a" * 64
PACKAGE = PROJECT / "dist" / f"phase2-runner-{__version__}.tgz"


def package(image):
    environment = {name: word for name, word in os.environ.items() if name != "IMAGE"} | {"IMAGE": image}
    words = [sys.executable, SCRIPTS / "package_chart.py"]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def packaged(helm, tmp_path):
    """Packages for an image; what was in dist before is put back."""
    before = PACKAGE.read_bytes() if PACKAGE.exists() else None
    yield package
    PACKAGE.unlink(missing_ok=True)
    if before is not None:
        PACKAGE.write_bytes(before)


def content(name):
    with tarfile.open(PACKAGE) as archive:
        return archive.extractfile(f"phase2-runner/{name}").read().decode()


def test_a_package_is_for_one_image(helm, packaged):
    done = packaged(f"localhost:5000/phase2:1@{DIGEST}")
    assert done.returncode == 0, done.stderr
    about = yaml.safe_load(content("Chart.yaml"))
    assert (about["version"], about["appVersion"]) == (__version__, __version__)
    assert about["annotations"]["phase2.dev/image"] == f"localhost:5000/phase2:1@{DIGEST}"
    assert about["annotations"]["phase2.dev/revision"]
    made = helm("template", "phase2", PACKAGE, "--namespace", "phase2", "--kube-version", "1.37.0").stdout
    things = [one for one in yaml.safe_load_all(made) if one]
    images = {one["image"] for spec in pod_specs(things).values() for one in spec["containers"]}
    assert images == {f"localhost:5000/phase2@{DIGEST}"}
    policy = named(things, "ValidatingAdmissionPolicy", "phase2-jobs")["spec"]["variables"]
    assert [one["expression"] for one in policy[:2]] == ["['localhost:5000/phase2']", "true"]
    assert f'| `image.digest` | `"{DIGEST}"` |' in content("README.md")


def test_without_an_image_it_is_the_chart_as_it_is(packaged):
    done = packaged("")
    assert done.returncode == 0, done.stderr
    assert content("values.yaml") == (CHART / "values.yaml").read_text()
    assert "phase2.dev/image" not in yaml.safe_load(content("Chart.yaml"))["annotations"]


def test_what_tests_install_with_stays_out(packaged):
    packaged("")
    with tarfile.open(PACKAGE) as archive:
        assert not [name for name in archive.getnames() if "/ci/" in name]


def test_an_image_without_its_digest_is_refused(packaged):
    done = package("registry.example.com/phase2:1")
    assert done.returncode == 2
    assert "is not named by its digest" in done.stderr
