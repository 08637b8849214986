"""The commit and the image of the running code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import phase2
from phase2.machine.code import IMAGE_DIGEST_VARIABLE, detect_code


def git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e@e"]
    done = subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


COMMIT = "from phase2.machine.code import detect_code; c = detect_code(); print(c.commit, c.dirty)"


def commit_seen_from(source, **variables):
    environment = os.environ | {"PYTHONPATH": str(source)} | variables
    done = subprocess.run([sys.executable, "-c", COMMIT], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A project with a copy of phase2 inside."""
    folder = tmp_path / "project"
    packages = folder / "src" / "phase2"
    original = Path(phase2.__file__).parent
    shutil.copytree(original, packages, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    (folder / "readme").write_text("a")
    git(folder, "init", "-q")
    return folder


def test_commit_and_changes_of_the_checkout(checkout):
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "all")
    commit = git(checkout, "rev-parse", "HEAD")
    assert commit_seen_from(checkout / "src", GIT_DIR="/elsewhere") == f"{commit} False"
    (checkout / "readme").write_text("b")
    assert commit_seen_from(checkout / "src") == f"{commit} True"


def test_checkout_of_another_project_around_an_installed_phase2_is_not_ours(checkout):
    git(checkout, "add", "readme")
    git(checkout, "commit", "-q", "-m", "readme")
    assert commit_seen_from(checkout / "src") == "None None"


@pytest.mark.parametrize(
    ("variable", "digest"),
    [
        (f"sha256:{'a' * 64}", f"sha256:{'a' * 64}"),
        (f"registry.example.org:5000/phase2:1@sha256:{'a' * 64}", f"sha256:{'a' * 64}"),
        ("registry.example.org:5000/phase2:1", None),
        ("", None),
    ],
)
def test_the_digest_is_found_in_a_whole_reference(variable, digest, monkeypatch):
    monkeypatch.setenv(IMAGE_DIGEST_VARIABLE, variable)
    assert detect_code().image_digest == digest
