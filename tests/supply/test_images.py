"""Images are named by their digests, and the few that are not are known."""

import re

import pytest

from tools.generated import ROOT
from tools.supply.images import FOREIGN, MINIO, OWN, PYTHON, references

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
STAGES = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))


def full(reference):
    """A reference with the registry and the folder that Docker adds."""
    first, slash, _ = reference.partition("/")
    if not slash:
        return f"docker.io/library/{reference}"
    return reference if "." in first or ":" in first or first == "localhost" else f"docker.io/{reference}"


def floating(root=ROOT):
    """References by no digest, but for those that are known to have none here."""
    known = {image.name for image in FOREIGN if not image.digest}
    return [
        (file, reference)
        for file, reference in references(root)
        if not DIGEST.search(reference)
        and reference not in STAGES
        and reference.partition(":")[0] not in OWN
        and full(reference) not in known
    ]


def test_every_image_is_named_by_its_digest():
    assert floating() == []


def test_the_digests_are_those_that_are_recorded():
    ours = tuple(f"{name}@" for name in OWN)
    given = {reference for _, reference in references() if not reference.startswith(ours)}
    found = {full(reference) for reference in given if DIGEST.search(reference)}
    assert found >= {PYTHON.reference, MINIO.reference}
    assert found <= {image.reference for image in FOREIGN}


def test_recorded_digests_are_digests():
    for image in FOREIGN:
        assert not image.digest or DIGEST.fullmatch(image.digest), image.name
        assert ":latest" not in image.name
        assert ":" in image.name.rpartition("/")[2], "a tag says what a digest is"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("Dockerfile", "FROM debian:trixie"),
        ("k8s/pod.yaml", "        image: busybox"),
        ("charts/values.yaml", "  image: quay.io/minio/minio:latest"),
        ("docs/how-to/page.md", "Pull `quay.io/argoproj/argoexec:v3.5.0` first."),
    ],
)
def test_the_search_finds_one_without(tmp_path, file, line):
    for name in ("Dockerfile", "README.md"):
        (tmp_path / name).touch()
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{line}\n")
    ((found, _),) = floating(tmp_path)
    assert found == file


def test_the_page_lists_the_images_of_others():
    page = (ROOT / "docs" / "how-to" / "supply-chain.md").read_text()
    for image in FOREIGN:
        assert (f"`{image.reference}` |" if image.digest else f"`{image.name}`, of which no digest") in page
