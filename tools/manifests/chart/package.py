"""Package the chart: dist/phase2-runner-VERSION.tgz, with the image of ``$IMAGE`` at its digest.

The image is named registry/phase2@sha256:...; without $IMAGE, who installs the chart names it. The annotations of the
packaged Chart.yaml say which image and which commit it was made with and for.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from phase2.cluster.request.image import Image
from phase2.errors import Phase2Error, RequestError
from tools.generated import ROOT
from tools.manifests.yaml_text import to_yaml
from tools.programs.helm import helm

from .files import CHART, HEADER, files
from .readme import readme
from .values import read_values

_IMAGE_LINES = {"repository": "  repository: localhost/phase2\n", "digest": '  digest: ""\n'}


def main() -> int:
    """Write the package and print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="Folder of the package.")
    to = parser.parse_args().to
    try:
        image = _image(os.environ.get("IMAGE", ""))
    except Phase2Error as error:
        print(error, file=sys.stderr)
        return error.exit_code
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / CHART.name
        shutil.copytree(CHART, chart)
        about = yaml.safe_load(files()["Chart.yaml"])
        about["annotations"] |= _provenance(image)
        (chart / "Chart.yaml").write_text(HEADER + to_yaml(about), encoding="utf-8")
        if image is not None:
            _name_image(chart / "values.yaml", image)
            (chart / "README.md").write_text(readme(read_values(chart / "values.yaml")), encoding="utf-8")
        subprocess.run([helm(), "package", chart, "--destination", to], check=True)
    return 0


def _image(reference: str) -> Image | None:
    if not reference:
        return None
    image = Image.parse(reference)
    if image.digest is None:
        raise RequestError(
            f"IMAGE={reference} is not named by its digest.",
            why="A tag may be another image tomorrow; what the chart was made for is written into it.",
            fix="Push the image, and write registry.example.com/phase2@sha256:...",
        )
    return image


def _provenance(image: Image | None) -> dict[str, str]:
    words = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    commit = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    found = {"phase2.dev/revision": commit} if commit else {}
    return found if image is None else {**found, "phase2.dev/image": image.reference}


def _name_image(values: Path, image: Image) -> None:
    """Write the image where values.yaml says what it is by default."""
    repository = image.reference.partition("@")[0]
    name, colon, tag = repository.rpartition(":")
    repository = name if colon and "/" not in tag else repository
    text = values.read_text(encoding="utf-8")
    for key, word in (("repository", repository), ("digest", image.digest)):
        if text.count(_IMAGE_LINES[key]) != 1:
            raise ValueError(f"{values} does not have the line {_IMAGE_LINES[key]!r} once")
        text = text.replace(_IMAGE_LINES[key], f"  {key}: {word}\n")
    values.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
