"""Facts about code, hardware and place; nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import phase2
from phase2.config import settings
from phase2.machine import environment
from phase2.machine.cgroup import cpu_limit, memory_limit


def test_limits_of_the_group_and_of_those_above_hold(tmp_path):
    membership = tmp_path / "membership"
    membership.write_text("0::/pods/mine\n")
    inner = tmp_path / "pods" / "mine"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("250000 100000\n")
    (inner / "memory.max").write_text("max\n")
    (tmp_path / "pods" / "cpu.max").write_text("max 100000\n")
    (tmp_path / "pods" / "memory.max").write_text("1048576\n")
    assert cpu_limit(tmp_path, membership) == 2.5
    assert memory_limit(tmp_path, membership) == 1048576
    (tmp_path / "pods" / "cpu.max").write_text("150000 100000\n")
    assert cpu_limit(tmp_path, membership) == 1.5


def test_limits_of_version_1(tmp_path):
    membership = tmp_path / "membership"
    membership.write_text("5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n")
    for controller, files in {
        "cpu,cpuacct": {"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"},
        "memory": {"memory.limit_in_bytes": "4096"},
    }.items():
        folder = tmp_path / controller
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    assert (cpu_limit(tmp_path, membership), memory_limit(tmp_path, membership)) == (3, 4096)
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712")
    assert memory_limit(tmp_path, membership) is None
    (tmp_path / "cpu,cpuacct" / "cpu.cfs_quota_us").write_text("-1")
    assert cpu_limit(tmp_path, membership) is None


def test_no_groups_no_limits(tmp_path):
    assert cpu_limit(tmp_path, tmp_path / "missing") is None
    assert memory_limit(tmp_path, tmp_path / "missing") is None


def test_hardware_of_this_machine():
    here = environment.hardware(gpu="A GPU")
    assert 0 < here.cores <= (os.cpu_count() or 1)
    assert here.memory_bytes is None or here.memory_bytes > 2**20
    assert here.cpu
    assert here.gpu == "A GPU"


def test_place_is_told_by_the_downward_api(monkeypatch):
    for name in (environment.POD_VARIABLE, environment.NAMESPACE_VARIABLE, settings.WORKFLOW_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(environment.NODE_VARIABLE, "node-1")
    assert (environment.place().node, environment.place().pod) == ("node-1", None)
    assert environment.place().process == os.getpid()


def test_no_other_variable_is_told(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "do-not-tell-me")
    told = [record.model_dump_json() for record in (environment.code(), environment.hardware(), environment.place())]
    assert "do-not-tell-me" not in "".join(told)


def git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e@e"]
    done = subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


COMMIT = "from phase2.machine.environment import code; c = code(); print(c.commit, c.dirty)"


def told_from(source, **variables):
    variables = os.environ | {"PYTHONPATH": str(source)} | variables
    done = subprocess.run([sys.executable, "-c", COMMIT], env=variables, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A project with a copy of phase2 inside."""
    folder = tmp_path / "project"
    packages = folder / "src" / "phase2"
    packages.parent.mkdir(parents=True)
    original = Path(phase2.__file__).parent
    for path in [original / "__init__.py", *original.glob("*.py"), *original.glob("[rcs][utoue]*/*.py")]:
        target = packages / path.relative_to(original)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    (folder / "readme").write_text("a")
    git(folder, "init", "-q")
    return folder


def test_commit_and_changes_of_the_checkout(checkout):
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "all")
    commit = git(checkout, "rev-parse", "HEAD")
    assert told_from(checkout / "src", GIT_DIR="/elsewhere") == f"{commit} False"
    (checkout / "readme").write_text("b")
    assert told_from(checkout / "src") == f"{commit} True"


def test_checkout_of_another_project_around_an_installed_phase2_is_not_ours(checkout):
    git(checkout, "add", "readme")
    git(checkout, "commit", "-q", "-m", "readme")
    assert told_from(checkout / "src") == "None None"


@pytest.mark.parametrize(
    ("told", "digest"),
    [
        (f"sha256:{'a' * 64}", f"sha256:{'a' * 64}"),
        (f"registry.example.org:5000/phase2:1@sha256:{'a' * 64}", f"sha256:{'a' * 64}"),
        ("registry.example.org:5000/phase2:1", None),
        ("", None),
    ],
)
def test_the_digest_is_found_in_a_whole_reference(told, digest, monkeypatch):
    monkeypatch.setenv(environment.IMAGE_DIGEST_VARIABLE, told)
    assert environment.code().image_digest == digest
