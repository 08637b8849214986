"""Bills of materials in CycloneDX: ``make sbom`` for the wheel, with IMAGE= for an image, too.

The wheel's lists what it installs with (constraints/train.txt, every hash that serves) and the JavaScript inside it.
The image's lists what is in the image: Debian's packages and Python's, with the hashes of the constraints where the
version is the same, and that JavaScript. The same commit and image give the same bytes.
"""

import argparse
import json
import os
import sys
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name

import phase2
from phase2.web.vendored import LIBRARIES, Library
from tools.generated import ROOT

from . import commit, installed
from .constraints import Pinned, pinned
from .engine import digest_of, python_in

_LICENSES = LicenseFactory()


def main() -> int:
    """Write the bills and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="Folder of the bills.")
    to, image = parser.parse_args().to, os.environ.get("IMAGE", "")
    to.mkdir(parents=True, exist_ok=True)
    bills = {f"phase2-{phase2.__version__}-wheel.cdx.json": wheel()}
    if image:
        found = json.loads(python_in(image, Path(installed.__file__)))
        bills[f"phase2-{phase2.__version__}-image.cdx.json"] = of_image(image, digest_of(image), found)
    else:
        print("Without IMAGE= there is no bill of an image.", file=sys.stderr)
    for name, bill in bills.items():
        (to / name).write_text(as_json(bill), encoding="utf-8")
        print(to / name)
    return 0


def wheel() -> Bom:
    """Return the bill of the wheel: what it is installed with, pinned, on x86-64 Linux with Python 3.13."""
    licenses = {canonicalize_name(one["name"]): one["license"] for one in installed.python()}
    packages = (_python(one.name, one.version, licenses.get(one.name, ""), one) for one in pinned("train"))
    return _bill(_phase2(), [*packages, *map(_javascript, LIBRARIES.values())])


def of_image(image: str, digest: str, found: dict[str, Any]) -> Bom:
    """Return the bill of an image.

    Args:
        image: Its reference.
        digest: Its digest.
        found: What :mod:`tools.supply.installed` lists in it.
    """
    hashes = {(one.name, one.version): one for one in pinned("train")}
    root = Component(type=ComponentType.CONTAINER, name=image.partition("@")[0], version=digest, bom_ref="image")
    python = [
        _python(name, one["version"], one["license"], hashes.get((name, one["version"])))
        for one in found["python"]
        if (name := canonicalize_name(one["name"]))
    ]
    return _bill(root, [*(_debian(one) for one in found["debian"]), *python, *map(_javascript, LIBRARIES.values())])


def as_json(bill: Bom) -> str:
    """Return a bill as CycloneDX 1.6 in JSON, with its serial number made of its content."""
    bill.serial_number = uuid.UUID(int=0)
    bill.metadata.timestamp = datetime.fromisoformat(commit.date())
    content = JsonV1Dot6(bill).output_as_string(indent=2)
    bill.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, content)
    return JsonV1Dot6(bill).output_as_string(indent=2) + "\n"


def _bill(root: Component, components: Iterable[Component]) -> Bom:
    bill = Bom(components=components)
    bill.metadata.component = root
    bill.register_dependency(root, bill.components)
    return bill


def _phase2() -> Component:
    about = PackageURL("pypi", name="phase2", version=phase2.__version__)
    licenses = [_LICENSES.make_from_string("Apache-2.0")]
    return Component(
        type=ComponentType.LIBRARY,
        name="phase2",
        version=phase2.__version__,
        licenses=licenses,
        purl=about,
        bom_ref="phase2",
    )


def _python(name: str, version: str, license_text: str, known: Pinned | None) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=one) for one in known.hashes] if known else []
    place = XsUri(f"https://pypi.org/project/{name}/{version}/")
    source = ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=place, hashes=hashes)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        licenses=[_LICENSES.make_from_string(license_text)] if license_text else [],
        external_references=[source] if hashes else [],
        purl=purl,
        bom_ref=str(purl),
    )


def _javascript(one: Library) -> Component:
    """Return a library that the package holds in src/phase2/web/vendor; the digest is that of its script."""
    purl = PackageURL("npm", name=one.package, version=one.version)
    return Component(
        type=ComponentType.LIBRARY,
        name=one.package,
        version=one.version,
        licenses=[_LICENSES.make_from_string(one.license)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one.sha256)],
        purl=purl,
        bom_ref=str(purl),
    )


def _debian(one: dict[str, str]) -> Component:
    purl = PackageURL("deb", "debian", one["name"], one["version"], {"arch": one["architecture"]})
    licenses = [_LICENSES.make_with_name(one["license"])] if one["license"] else []
    return Component(
        type=ComponentType.LIBRARY,
        name=one["name"],
        version=one["version"],
        licenses=licenses,
        purl=purl,
        bom_ref=str(purl),
    )


if __name__ == "__main__":
    sys.exit(main())
