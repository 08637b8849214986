"""``make chart``: a package that says which image it is for, and installs that one."""

import os
import subprocess
import sys
import tarfile

import pytest
import yaml

from phase2 import __version__

from .rendering import CHART, PROJECT, named, pod_specs

DIGEST = "sha256:" + "a" * 64


class Package:
    """A package in a folder of its own."""

    def __init__(self, folder):
        self._folder = folder
        self.path = folder / f"phase2-runner-{__version__}.tgz"

    def make(self, image):
        environment = os.environ | {"IMAGE": image}
        words = [sys.executable, "-m", "tools.manifests.chart.package", "--to", self._folder]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=PROJECT)

    def content(self, name):
        with tarfile.open(self.path) as archive:
            return archive.extractfile(f"phase2-runner/{name}").read().decode()


@pytest.fixture
def package(helm, tmp_path):
    return Package(tmp_path)


def test_a_package_is_for_one_image(helm, package):
    done = package.make(f"localhost:5000/phase2:1@{DIGEST}")
    assert done.returncode == 0, done.stderr
    about = yaml.safe_load(package.content("Chart.yaml"))
    assert (about["version"], about["appVersion"]) == (__version__, __version__)
    assert about["annotations"]["phase2.dev/image"] == f"localhost:5000/phase2:1@{DIGEST}"
    assert about["annotations"]["phase2.dev/revision"]
    made = helm("template", "phase2", package.path, "--namespace", "phase2", "--kube-version", "1.37.0").stdout
    things = [one for one in yaml.safe_load_all(made) if one]
    images = {one["image"] for spec in pod_specs(things).values() for one in spec["containers"]}
    assert images == {f"localhost:5000/phase2@{DIGEST}"}
    policy = named(things, "ValidatingAdmissionPolicy", "phase2-jobs")["spec"]["variables"]
    assert [one["expression"] for one in policy[:2]] == ["['localhost:5000/phase2']", "true"]
    assert f'| `image.digest` | `"{DIGEST}"` |' in package.content("README.md")


def test_without_an_image_it_is_the_chart_as_it_is(package):
    done = package.make("")
    assert done.returncode == 0, done.stderr
    assert package.content("values.yaml") == (CHART / "values.yaml").read_text()
    assert "phase2.dev/image" not in yaml.safe_load(package.content("Chart.yaml"))["annotations"]


def test_what_tests_install_with_stays_out(package):
    package.make("")
    with tarfile.open(package.path) as archive:
        assert not [name for name in archive.getnames() if "/ci/" in name]


def test_an_image_without_its_digest_is_refused(package):
    done = package.make("registry.example.com/phase2:1")
    assert done.returncode == 2
    assert "is not named by its digest" in done.stderr
