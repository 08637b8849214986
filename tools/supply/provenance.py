"""Provenance of what is released: ``make provenance`` writes a statement beside each wheel and chart in dist.

With IMAGE=name@sha256:... there is one for the image, too. A statement follows in-toto v1 with the predicate SLSA
provenance v1: what was made, from which commit and materials, with which parameters, by whom. It is unsigned; cosign
signs it (docs/how-to/supply-chain.md).
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import phase2
from tools.generated import ROOT
from tools.manifests.argo import version

from . import commit
from .images import PYTHON
from .statement import BuildDefinition, Builder, Provenance, Resource, RunDetails, Statement

BUILD_TYPE = "https://phase2.dev/make/v1"
LOCAL_BUILDER = "urn:phase2:builder:local"
"""Who built, where ``$BUILDER`` does not say so: an unattested machine."""


def main() -> int:
    """Write the statements and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="Folder of wheel, chart and statements.")
    dist, image = parser.parse_args().dist, os.environ.get("IMAGE", "")
    artifacts = sorted([*dist.glob("phase2-*.whl"), *dist.glob("phase2-runner-*.tgz")])
    statements = {f"{one.name}.provenance.json": of_file(one, image) for one in artifacts}
    if image:
        if "@sha256:" not in image:
            print(f"IMAGE={image} is not named by its digest: write name@sha256:...", file=sys.stderr)
            return 2
        statements[f"phase2-{phase2.__version__}-image.provenance.json"] = of_image(image)
    if not statements:
        print(f"{dist} has neither wheel nor chart: run make wheel or make chart, or name IMAGE.", file=sys.stderr)
        return 2
    for name, statement in statements.items():
        (dist / name).write_text(statement.as_json(), encoding="utf-8")
        print(dist / name)
    return 0


def of_file(path: Path, image: str = "") -> Statement:
    """Return the statement on a wheel or a chart."""
    kind = "wheel" if path.suffix == ".whl" else "chart"
    materials = [_constraints("dev")] if kind == "wheel" else []
    parameters = {"target": kind} | ({"IMAGE": image} if kind == "chart" and image else {})
    return _statement(Resource(name=path.name, digest={"sha256": _sha256(path)}), parameters, materials)


def of_image(image: str) -> Statement:
    """Return the statement on an image, by the settings of its build in the environment."""
    name, _, digest = image.partition("@sha256:")
    settings = {
        key: os.environ[key] for key in ("TARGET", "BASE_IMAGE", "TORCH_INDEX", "TORCH_HASH") if os.environ.get(key)
    }
    base_name, _, base = settings.get("BASE_IMAGE", PYTHON.reference).partition("@sha256:")
    materials = [_constraints("train"), _constraints("tools"), _file("Dockerfile")]
    materials.insert(0, Resource(uri=f"docker://{base_name}", digest={"sha256": base} if base else {}))
    return _statement(Resource(name=name, digest={"sha256": digest}), {"target": "image", **settings}, materials)


def _statement(subject: Resource, parameters: dict[str, Any], materials: list[Resource]) -> Statement:
    revision = commit.revision()
    code = Resource(uri=f"git+{commit.source() or 'file://.'}", digest=_commit(revision))
    definition = BuildDefinition(
        build_type=BUILD_TYPE,
        external_parameters={**parameters, "revision": revision},
        internal_parameters={"version": phase2.__version__, "argoWorkflows": version.TESTED},
        resolved_dependencies=[code, *materials],
    )
    builder = Builder(id=os.environ.get("BUILDER") or LOCAL_BUILDER)
    metadata = {"invocationId": hashlib.sha256(f"{revision} {subject.digest}".encode()).hexdigest()}
    details = RunDetails(builder=builder, metadata=metadata)
    return Statement(subject=[subject], predicate=Provenance(build_definition=definition, run_details=details))


def _commit(revision: str) -> dict[str, str]:
    return {"gitCommit": revision.removesuffix("-dirty")} if revision else {}


def _constraints(name: str) -> Resource:
    return _file(f"constraints/{name}.txt")


def _file(name: str) -> Resource:
    return Resource(uri=f"file:{name}", digest={"sha256": _sha256(ROOT / name)})


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
