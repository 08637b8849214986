"""What ends a strict build: dead links, dead anchors, and pages that the index lacks."""

import pytest

from .conftest import ROOT, build

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path):
    """Configuration of the site for a folder with an index and a page."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "README.md").write_text("# Site\n\n- [Page](page.md#part)\n")
    (docs / "page.md").write_text("# Page\n\n## Part\n")
    config = tmp_path / "mkdocs.yml"
    nav = "nav: [README.md, page.md]"
    config.write_text(f"INHERIT: {ROOT / 'mkdocs.yml'}\ndocs_dir: {docs}\nhooks: []\nplugins: []\n{nav}\n")
    return config


def built(config, name="page.md", text="# Page\n\n## Part\n"):
    (config.parent / "docs" / name).write_text(text)
    return build(config.parent / "site", config)


def test_what_is_right_is_built(small):
    assert built(small).returncode == 0


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("page.md", "# Page\n\n## Part\n\n[Dead](none.md)\n", "none.md"),
        ("page.md", "# Page\n\n## Part\n\n![Dead](none.png)\n", "none.png"),
        ("page.md", "# Page\n\n## Another part\n", "#part"),
        ("other.md", "# Other\n", "other.md"),
    ],
)
def test_what_is_wrong_is_named(small, name, text, wrong):
    done = built(small, name, text)
    assert done.returncode == 1
    assert wrong in done.stdout + done.stderr
