"""Limits of Linux control groups, read from files laid out as both versions do."""

from phase2.machine.cgroup import cpu_limit, memory_limit


def test_limits_of_the_group_and_its_parents_apply(tmp_path):
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


def test_there_is_no_limit_without_groups(tmp_path):
    assert cpu_limit(tmp_path, tmp_path / "missing") is None
    assert memory_limit(tmp_path, tmp_path / "missing") is None
