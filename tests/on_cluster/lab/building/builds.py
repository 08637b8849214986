"""Programs of the cluster, built from their Go modules once for each version."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.timings import step

from phase2.storage.disk.lock import wait_for_lock
from tools.manifests.argo import version

SOURCES = Path(__file__).with_name("go")
ARGO = f"v{version.TESTED}"
_ARGO_MODULE = "github.com/argoproj/argo-workflows/v4"
_SMALL = ["-trimpath", "-ldflags", "-s -w"]


def are_built(folders: Folders) -> bool:
    """Whether every program of the cluster exists."""
    return all(_path(folders, name, _version(name)).exists() for name in ("kube", "pause", "coredns", "registry"))


def kube(folders: Folders) -> Path:
    """All components of Kubernetes, kubectl and etcd in one program."""
    required = (SOURCES / "kube" / "go.mod").read_text()
    version, major, minor = re.findall(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", required, re.MULTILINE)[0]
    known = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    stamp = [f"-X k8s.io/component-base/version.{name}={value}" for name, value in known.items()]
    return _of_our_source(folders, "kube", ["-trimpath", "-ldflags", f"-s -w {' '.join(stamp)}"])


def kube_path(folders: Folders) -> Path:
    """Where :func:`kube` is, or will be."""
    return _path(folders, "kube", _version("kube"))


def pause(folders: Folders) -> Path:
    """The program of a pod's sandbox."""
    return _of_our_source(folders, "pause")


def coredns(folders: Folders) -> Path:
    """The name server of the cluster."""
    return _of_our_source(folders, "coredns")


def registry(folders: Folders) -> Path:
    """The registry that the node pulls images from."""
    return _of_our_source(folders, "registry")


def argo_controller(folders: Folders) -> Path:
    """Argo's controller, which only the tests of Argo need."""
    return _argo(folders, "workflow-controller")


def argo_executor(folders: Folders) -> Path:
    """Argo's executor, which runs beside the program of each step."""
    return _argo(folders, "argoexec")


def argo(folders: Folders) -> Path:
    """Argo's command line."""
    return _argo(folders, "argo")


def _argo(folders: Folders, name: str) -> Path:
    program = _path(folders, name, ARGO)
    if program.exists():
        return program
    folders.programs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folders.programs, prefix=".argo-") as copied:
        source = Path(copied) / "argo"
        _copy_argo(source)
        return _built(folders, name, ARGO, ["build", *_SMALL, "-o", "{}", f"./cmd/{name}"], source)


def _copy_argo(to: Path) -> None:
    """Argo's sources with what its module lacks: the file that sends signals on Linux, and the user interface."""
    shutil.copytree(argo_sources(), to, ignore=shutil.ignore_patterns("docs", "examples", "manifests", "sdks"))
    for folder, _, _ in os.walk(to):
        Path(folder).chmod(0o755)
    signals = to / "workflow" / "executor" / "osspecific"
    if not (signals / "signal_linux.go").exists():
        shutil.copy(signals / "signal_darwin.go", signals / "signal_linux.go")
    pages = to / "ui" / "dist" / "app"
    pages.mkdir(parents=True, exist_ok=True)
    (pages / "index.html").touch()


def argo_sources() -> Path:
    """The folder of Argo's module, with the definitions of its kinds."""
    command = ["go", "mod", "download", "-json", f"{_ARGO_MODULE}@{ARGO}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=SOURCES)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Path(json.loads(done.stdout)["Dir"])


def _of_our_source(folders: Folders, name: str, flags: list[str] = _SMALL) -> Path:
    return _built(folders, name, _version(name), ["build", *flags, "-o", "{}", "."], SOURCES / name)


def _built(folders: Folders, name: str, version: str, words: list[str], source: Path) -> Path:
    program = _path(folders, name, version)
    if program.exists():
        return program
    folders.programs.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(folders.programs / f".{name}.lock", purpose=f"building {name}"), step(f"build {name} {version}"):
        if not program.exists():  # another process may have been faster
            _build(program, name, words, source)
    return program


def _path(folders: Folders, name: str, version: str) -> Path:
    return folders.programs / f"{name}-{version}"


def _build(program: Path, name: str, words: list[str], source: Path) -> None:
    making = program.with_name(f".making-{name}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    command = ["go", *(word.format(making / name) for word in words)]
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    (making / name).rename(program)
    shutil.rmtree(making)


def _version(name: str) -> str:
    """Return a digest of a program's sources and requirements."""
    files = sorted((SOURCES / name).iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]
