"""A full and a read-only disk: reported as such, no partial files, and usable afterwards.

Each test runs a script in a mount namespace of its own, where a disk of 3 MB is mounted.
"""

import os
import shutil
import subprocess
import sys

import pytest

from phase2.storage.s3.settings import S3Settings

BEGIN = """
import subprocess, sys
from pathlib import Path
from phase2.errors import RequestError, TransientError
from phase2.storage.folder import LocalStore
from phase2.storage.urls import open_store

disk, url = Path(sys.argv[1]), sys.argv[2]
content = bytes(range(256)) * 8192  # 2 MB
def raised(kind, action):
    try:
        action()
    except kind as error:
        assert error.what and error.why and error.fix and str(disk) in error.what, error
        return error
    raise AssertionError(f"no {kind.__name__}")
def fill():
    (disk / "filler").write_bytes(bytes(2 << 20))
def free():
    (disk / "filler").unlink()
def make_read_only():
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
"""

PUT_FULL = """
store = LocalStore(disk / "store")
store.put("runs/a", b"old")
fill()
for options in ({}, {"if_absent": True}):
    key = "runs/b" if options else "runs/a"
    error = raised(TransientError, lambda: store.put(key, content, **options))
    assert error.exit_code == 75 and "No space" in error.what, error
assert [info.key for info in store.list()] == ["runs/a"] and store.read("runs/a") == b"old"
assert [path.name for path in (disk / "store" / "runs").iterdir()] == ["a"]
free()
assert store.put("runs/a", content).size == len(content)
assert store.read("runs/a") == content
"""

GET_FULL = """
store, target = open_store(url), disk / "copy"
target.write_bytes(b"old")
fill()
error = raised(TransientError, lambda: store.get("large", target))
assert error.exit_code == 75 and "No space" in error.what, error
assert target.read_bytes() == b"old"
free()
assert (disk / "copy.part").stat().st_size > 0  # and it continues there
store.get("large", target)
assert target.read_bytes() == content
assert sorted(path.name for path in disk.iterdir()) == ["copy"]
"""

READ_ONLY = """
store, here = open_store(url), LocalStore(disk / "store")
here.put("a", b"content")
make_read_only()
for action in (
    lambda: here.put("a", b"other"),
    lambda: here.put("b", b"other", if_absent=True),
    lambda: here.put("new/b", b"other"),
    lambda: here.delete("a"),
    lambda: store.get("large", disk / "copy"),
    lambda: store.get("large", disk / "new" / "copy"),
):
    error = raised(RequestError, action)
    assert error.exit_code == 2 and "Read-only" in error.why, error
assert here.read("a") == b"content"
assert sorted(path.name for path in disk.iterdir()) == ["store"]
"""


@pytest.fixture(scope="session")
def namespace():
    """Prefix of a command that may mount disks in a namespace of its own."""
    probe = ["sh", "-c", "mount -t tmpfs none /mnt"]
    for start in (["unshare", "-m"], ["unshare", "-Urm"]):
        if (
            shutil.which("unshare")
            and subprocess.run([*start, *probe], check=False, capture_output=True).returncode == 0
        ):
            return start
    if os.environ.get("CI"):
        raise RuntimeError("This machine cannot mount a small disk, so tests of a full one would be left out.")
    return pytest.skip("a small disk cannot be mounted here: unshare is missing or not allowed")


@pytest.fixture
def on_small_disk(namespace, tmp_path):
    """Function that runs a script with the folder of a 3 MB disk and the address of a store."""

    def run(script, url=""):
        (tmp_path / "disk").mkdir()
        mount = 'mount -t tmpfs -o size=3m none "$1" && exec "$0" -c "$3" "$1" "$2"'
        command = ["sh", "-c", mount, sys.executable, str(tmp_path / "disk"), url, BEGIN + script]
        done = subprocess.run([*namespace, *command], check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert list((tmp_path / "disk").iterdir()) == []  # it was the other disk

    return run


@pytest.fixture(params=["folder", "bucket"])
def url(request, tmp_path):
    """Address of a store with an object of 2 MB."""
    content = bytes(range(256)) * 8192
    if request.param == "folder":
        (tmp_path / "store").mkdir()
        (tmp_path / "store" / "large").write_bytes(content)
        return str(tmp_path / "store")
    server, new_store = request.getfixturevalue("seaweedfs"), request.getfixturevalue("new_store")
    store = new_store(server, S3Settings(endpoint=server.endpoint, region="us-east-1", path_style=True))
    store.put("large", content)
    return store.url


def test_a_put_on_a_full_disk(on_small_disk):
    on_small_disk(PUT_FULL)


def test_a_get_to_a_full_disk(on_small_disk, url):
    on_small_disk(GET_FULL, url)


def test_a_disk_that_is_read_only(on_small_disk, url):
    on_small_disk(READ_ONLY, url)
