"""The version of Argo is said once, and everything else says the same."""

import re

import yaml
from tests.on_cluster.lab.building import builds

from tools.generated import ROOT
from tools.manifests.argo.version import TESTED, VERIFIED

MENTION = re.compile(r"\bArgo(?! CD)(?: Workflows)?[^.|\n]{0,20}? v?(\d+\.\d+\.\d+)")
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]


def test_the_tests_build_it():
    assert f"v{TESTED}" == builds.ARGO


def test_the_chart_says_what_it_needs():
    about = yaml.safe_load((ROOT / "charts" / "phase2-runner" / "Chart.yaml").read_text())
    assert about["annotations"]["phase2.dev/argo-workflows"] == f">={TESTED}"


def test_pages_name_this_version_or_the_one_that_was_verified():
    found = {version for page in PAGES for version in MENTION.findall(" ".join(page.read_text().split()))}
    assert found == {TESTED}


def test_the_page_of_argo_says_which_versions_serve():
    text = (ROOT / "docs" / "how-to" / "argo.md").read_text()
    section = text.partition("\n## Versions of Argo\n")[2]
    assert section.count(TESTED) >= 2
    assert VERIFIED in section
    assert set(re.findall(r"\b4\.\d+\.\d+\b", text)) == {TESTED, VERIFIED}


def test_no_module_has_a_version_of_its_own():
    """Neither the code nor what brings up the cluster; words of a sample may have one."""
    code = [path for folder in ("src", "tools", "tests/on_cluster") for path in (ROOT / folder).rglob("*.py")]
    assert len(code) > 100
    assert [path.name for path in code if TESTED in path.read_text()] == ["version.py"]
