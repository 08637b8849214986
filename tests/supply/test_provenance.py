"""Provenance: statements that in-toto and SLSA define, on what was really made."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from phase2 import __version__
from tools.generated import ROOT
from tools.supply import commit
from tools.supply.images import PYTHON
from tools.supply.statement import Statement

IMAGE = f"registry.example.com/phase2@sha256:{'a' * 64}"
WHEEL, CHART = f"phase2-{__version__}-py3-none-any.whl", f"phase2-runner-{__version__}.tgz"


def make(dist, **environment):
    clean = {key: value for key, value in os.environ.items() if key not in ("IMAGE", "BUILDER", "TARGET", "BASE_IMAGE")}
    words = [sys.executable, "-m", "tools.supply.provenance", "--dist", dist]
    return subprocess.run(words, env=clean | environment, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def dist(tmp_path):
    for name in (WHEEL, CHART):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def read(path):
    """A statement, by the strict model of the specification."""
    return Statement.model_validate_json(path.read_text())


def test_each_artifact_has_a_statement_on_its_own_bytes(dist):
    done = make(dist, IMAGE=IMAGE, BUILDER="https://ci.example.com/runner")
    assert done.returncode == 0, done.stderr
    for name in (WHEEL, CHART):
        statement = read(dist / f"{name}.provenance.json")
        (subject,) = statement.subject
        assert (subject.name, subject.digest) == (name, {"sha256": hashlib.sha256(name.encode()).hexdigest()})
        assert statement.predicate.run_details.builder.id == "https://ci.example.com/runner"
    image = read(dist / f"phase2-{__version__}-image.provenance.json")
    assert image.subject[0].digest == {"sha256": "a" * 64}


def test_materials_are_the_commit_the_base_and_the_constraints(dist):
    make(dist, IMAGE=IMAGE, TARGET="cpu")
    definition = read(dist / f"phase2-{__version__}-image.provenance.json").predicate.build_definition
    found = {one.uri: one.digest for one in definition.resolved_dependencies}
    train = hashlib.sha256((ROOT / "constraints" / "train.txt").read_bytes()).hexdigest()
    assert found["file:constraints/train.txt"] == {"sha256": train}
    base, _, digest = PYTHON.reference.partition("@sha256:")
    assert found[f"docker://{base}"] == {"sha256": digest}
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert {"gitCommit": commit.strip()} in found.values()
    assert definition.external_parameters["TARGET"] == "cpu"


def test_a_base_of_another_build_is_named(dist):
    make(dist, IMAGE=IMAGE, BASE_IMAGE=f"mirror.example.com/python@sha256:{'c' * 64}")
    definition = read(dist / f"phase2-{__version__}-image.provenance.json").predicate.build_definition
    assert {"sha256": "c" * 64} in [one.digest for one in definition.resolved_dependencies]


def test_an_image_without_a_digest_and_an_empty_folder_are_refused(dist, tmp_path_factory):
    done = make(dist, IMAGE="registry.example.com/phase2:1")
    assert (done.returncode, "not named by its digest" in done.stderr) == (2, True)
    done = make(tmp_path_factory.mktemp("empty"))
    assert (done.returncode, "neither wheel nor chart" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1"),
        (("predicateType",), "https://slsa.dev/provenance/v0.2"),
        (("subject",), []),
        (("subject", 0, "digest"), {}),
        (("subject", 0, "digest"), {"sha256": "short"}),
        (("predicate", "runDetails", "builder", "id"), "no address"),
        (("predicate", "buildDefinition", "resolvedDependencies"), []),
        (("predicate", "extra"), 1),
    ],
)
def test_what_the_specification_does_not_allow_is_refused(dist, path, value):
    make(dist)
    statement = json.loads((dist / f"{WHEEL}.provenance.json").read_text())
    place = statement
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        Statement.model_validate(statement)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://key:word@example.com/team/phase2.git", "https://example.com/team/phase2.git"),
        ("ssh://git@example.com/team/phase2.git", "ssh://example.com/team/phase2.git"),
        ("git@example.com:team/phase2.git", "ssh://example.com/team/phase2.git"),
        ("/somewhere/phase2", ""),
        ("../phase2", ""),
        ("file:///somewhere/phase2", ""),
        ("", ""),
    ],
)
def test_the_source_is_an_address_for_others_without_keys(remote, address):
    assert commit.public_address(remote) == address
