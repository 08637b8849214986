"""Findings of ``phase2 doctor``: on this machine, in control groups, and in real stores."""

import os
import subprocess
import sys

import pytest

from phase2.diagnosis.finding import Finding, Problem, exit_code
from phase2.diagnosis.folders import check_folder, check_folders
from phase2.diagnosis.machine import check_machine, check_shared_memory, too_little_memory, too_many_threads
from phase2.diagnosis.software import check_software
from phase2.diagnosis.store import check_store, probe, refuses_taken_keys
from phase2.machine import cgroup
from phase2.machine.cgroup import memory_limit
from phase2.storage.folder import LocalStore


def by_name(findings):
    return {finding.name: finding for finding in findings}


def finding(code):
    return Finding("topic", "name", "value", None if code is None else Problem("what", "why", "fix", code))


@pytest.mark.parametrize(
    ("codes", "expected"), [([], 0), ([None, 0], 0), ([75], 75), ([75, 2], 2), ([0, 75, None], 75), ([2, 3], 2)]
)
def test_permanent_problems_take_precedence_over_transient_ones(codes, expected):
    assert exit_code([finding(code) for code in codes]) == expected


def test_this_machine_can_train():
    found = by_name([*check_software(), *check_machine()])
    assert found["PyTorch"].value.startswith("2.")
    assert int(found["threads"].value) >= 1
    assert exit_code(found.values()) == 0


def test_without_torch_the_other_findings_are_printed():
    script = "import sys; sys.modules['torch'] = None; from phase2.cli import main; sys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: PyTorch cannot be used." in done.stderr
    assert "fix: pip install 'phase2[train]'" in done.stderr
    assert "memory limit" in done.stdout


def test_more_threads_than_cores_are_a_warning():
    assert too_many_threads(2, 1.5) is None  # a fraction of a core is rounded up
    assert too_many_threads(1, 0.25) is None
    assert too_many_threads(8, 2).exit_code == 0


def test_a_memory_limit_that_is_too_low_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "membership").write_text("0::/\n")
    (tmp_path / "memory.max").write_text(f"{256 << 20}\n")
    limit = memory_limit(tmp_path, tmp_path / "membership")
    monkeypatch.setattr(cgroup, "memory_limit", lambda: limit)
    found = by_name(check_machine())["memory limit"]
    assert found.value == "256 MiB"
    assert found.problem.exit_code == 2
    assert too_little_memory(1 << 30) is None


def test_missing_shared_memory_is_a_problem(tmp_path):
    assert check_shared_memory(tmp_path).problem is None
    assert check_shared_memory(tmp_path / "missing").problem.exit_code == 2


def test_folders_are_checked_and_not_created(tmp_path):
    found = by_name(check_folders(tmp_path / "not" / "yet" / "there"))
    assert exit_code(found.values()) == 0
    assert found["runs"].value.startswith(f"{tmp_path}/not/yet/there: ")
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_folder_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    assert check_folder("runs", tmp_path / "file" / "runs").problem.exit_code == 2
    if not os.access("/proc/1", os.W_OK) or os.geteuid() == 0:
        assert check_folder("runs", type(tmp_path)("/proc/runs")).problem is not None


def test_a_missing_store_is_no_problem():
    assert [one.problem for one in check_store(None)] == [None]


def test_a_folder_is_a_usable_store(tmp_path):
    found = by_name(check_store(str(tmp_path / "runs")))
    assert exit_code(found.values()) == 0
    assert found["If-None-Match"].value == "honoured"
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_real_s3_server_is_a_usable_store(new_store, server):
    harness = new_store(server)
    found = by_name(probe(harness))
    assert [one.problem for one in found.values()] == [None] * len(found)
    assert found["If-None-Match"].value == "honoured"
    assert found["clock"].value == "equal"
    assert list(harness.list()) == []


def test_support_for_conditional_writes_is_probed(new_store, server):
    harness = new_store(server)
    harness.put("taken", b"first")
    assert refuses_taken_keys(harness, "taken")
    assert harness.read("taken") == b"first"
    assert not refuses_taken_keys(harness, "free")


def test_a_wrong_bucket_and_wrong_keys_are_problems(new_store, server, monkeypatch):
    new_store(server)  # sets the environment
    assert exit_code(check_store("s3://no-such-bucket-here")) == 2
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert exit_code(check_store("s3://phase2-tests")) == 2


def test_an_unreachable_server_is_a_transient_problem(monkeypatch):
    for name, value in {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "k",
                        "AWS_SECRET_ACCESS_KEY": "s"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    found = list(check_store("s3://phase2-tests"))
    assert exit_code(found) == 75
    assert "127.0.0.1:9" in found[-1].problem.what


class UnconditionalStore(LocalStore):
    """Store that ignores ``if_absent``, as S3 servers without If-None-Match do."""

    def put(self, key, source, *, sha256=None, if_absent=False):
        return super().put(key, source, sha256=sha256)


def test_a_store_that_ignores_if_none_match_is_reported(tmp_path):
    found = by_name(probe(UnconditionalStore(tmp_path)))["If-None-Match"]
    assert found.value == "ignored"
    assert found.problem.exit_code == 0
