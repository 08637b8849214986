"""What an offline cluster needs, and how each part gets into a bundle."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from phase2.data.sources.jarvis import DFT_3D, JarvisSource
from tools.generated import ROOT
from tools.manifests.argo import version
from tools.programs.go import go_module

from .constraints import pinned
from .engine import save
from .images import FOREIGN

_ARGO_MODULE = "github.com/argoproj/argo-workflows/v4"
_KUEUE = "https://github.com/kubernetes-sigs/kueue/releases: manifests.yaml of the version that the cluster uses"


class NotCollectedError(Exception):
    """A part could not be put into the bundle; says why."""


@dataclass(frozen=True)
class Part:
    """One part of the bundle.

    Args:
        kind: ``image``, ``chart``, ``wheels``, ``data`` or ``definitions``.
        name: What it is.
        source: Where it is from.
        settings: What :meth:`collect` needs.
    """

    kind: str
    name: str
    source: str
    settings: dict[str, str] = field(default_factory=dict)

    def collect(self, folder: Path) -> None:
        """Put the part into a bundle.

        Raises:
            NotCollectedError: It is not to be had here.
        """
        _COLLECTORS[self.kind](self, folder)


def parts(image: str, wheels: str) -> list[Part]:
    """Return everything that a bundle has.

    Args:
        image: The image that trains, by digest; empty leaves it out.
        wheels: Set of constraints/ whose wheels are collected.
    """
    own = [Part("image", image, "make image, or your registry")] if image else []
    foreign = [Part("image", one.reference, f"its registry ({one.purpose}; {one.needed})") for one in FOREIGN]
    return [
        *own,
        *foreign,
        Part("chart", "phase2-runner", "make chart", {"image": image}),
        Part(
            "wheels",
            f"{wheels}: {len(pinned(wheels))} packages and phase2",
            f"constraints/{wheels}.txt",
            {"set": wheels},
        ),
        Part("data", DFT_3D.file_name, f"{DFT_3D.url} ({DFT_3D.size} bytes, SHA-256 {DFT_3D.sha256})"),
        Part("definitions", f"Argo Workflows {version.TESTED}", f"{_ARGO_MODULE}, manifests/base/crds"),
        Part("definitions", "Kueue", _KUEUE),
    ]


def _image(part: Part, folder: Path) -> None:
    to = folder / "images"
    to.mkdir(exist_ok=True)
    problem = save(part.name, to / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', part.name.partition('@')[0])}.tar")
    if problem:
        raise NotCollectedError(problem)


def _chart(part: Part, folder: Path) -> None:
    words = ["tools.manifests.chart.package", "--to", str(folder / "charts")]
    _python(*words, image=part.settings["image"])


def _wheels(part: Part, folder: Path) -> None:
    """Download the pinned wheels, each checked against its hashes, and build phase2's."""
    to, name = folder / "wheels", part.settings["set"]
    to.mkdir(exist_ok=True)
    text, index = (ROOT / "constraints" / f"{name}.txt").read_text(encoding="utf-8"), os.environ.get("TORCH_INDEX", "")
    (to / "requirements.txt").write_text(without_gpu(text) if index else text, encoding="utf-8")
    pinned_wheels = ["--require-hashes", "--only-binary=:all:", "--requirement", f"{to}/requirements.txt"]
    _python("pip", "download", "--quiet", "--dest", str(to), *pinned_wheels)
    if index and "torch==" in text:
        add_cpu_torch(to, text, index)
    builder = ["--require-hashes", "--build-constraints", "constraints/dev.txt"]
    _python("uv", "build", "--quiet", "--wheel", "--out-dir", str(to), *builder)
    (to / ".gitignore").unlink(missing_ok=True)


def without_gpu(text: str) -> str:
    """Return requirements without PyTorch and what a GPU alone needs."""
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    return "".join(one for one in entries if not re.match(r"torch==|triton==|nvidia-|cuda-", one))


def add_cpu_torch(to: Path, text: str, index: str) -> None:
    """Download PyTorch's CPU build of the pinned version from an index that has it, and pin what came.

    ``$TORCH_HASH`` says which wheel it must be; without it, the first download decides.
    """
    (pinned_torch,) = set(re.findall(r"^torch==([^ ;]+)", text, re.MULTILINE))
    asked, given = f"torch=={pinned_torch}+cpu", os.environ.get("TORCH_HASH", "")
    (to / "torch.txt").write_text(f"{asked} --hash={given}\n" if given else f"{asked}\n", encoding="utf-8")
    words = ["--quiet", "--no-deps", "--only-binary=:all:", "--index-url", index, "--dest", str(to)]
    _python("pip", "download", *words, "--requirement", str(to / "torch.txt"))
    (to / "torch.txt").unlink()
    (wheel,) = to.glob(f"torch-{pinned_torch}+cpu-*.whl")
    with wheel.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with (to / "requirements.txt").open("a", encoding="utf-8") as requirements:
        requirements.write(f"{asked} --hash=sha256:{digest}\n")


def _data(_: Part, folder: Path) -> None:
    archive = JarvisSource().path
    if not archive.is_file():
        raise NotCollectedError(
            "not downloaded here; phase2 data fetch jarvis-dft3d fetches it, and then it is bundled"
        )
    (folder / "data").mkdir(exist_ok=True)
    shutil.copy(archive, folder / "data")


def _definitions(part: Part, folder: Path) -> None:
    if not part.name.startswith("Argo"):
        raise NotCollectedError("not a module that can be downloaded; only clusters with queues need it")
    source = go_module(_ARGO_MODULE, f"v{version.TESTED}") / "manifests" / "base" / "crds" / "minimal"
    to = folder / "definitions"
    to.mkdir(exist_ok=True)
    texts = [path.read_text(encoding="utf-8") for path in sorted(source.glob("argoproj.io_*.yaml"))]
    (to / f"argo-workflows-{version.TESTED}.yaml").write_text("---\n".join(texts), encoding="utf-8")


def _python(module: str, *words: str, image: str = "") -> None:
    """Run a module in the root of the project, with ``$IMAGE``."""
    command, environment = [sys.executable, "-m", module, *words], os.environ | {"IMAGE": image}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotCollectedError(done.stderr.strip()[-500:])


_COLLECTORS = {"image": _image, "chart": _chart, "wheels": _wheels, "data": _data, "definitions": _definitions}
