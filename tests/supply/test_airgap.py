"""``make airgap``: what is listed, what is bundled with checksums, and its page followed with the network cut off."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from urllib.parse import quote

import pytest
import yaml
from tests.chart.conftest import helm  # noqa: F401 - a fixture

from phase2 import __version__
from tools.commands.blocks import blocks
from tools.generated import ROOT
from tools.manifests.argo.version import TESTED
from tools.supply import bundle
from tools.supply.engine import archived_name
from tools.supply.images import FOREIGN

IMAGE = f"registry.example.com/phase2@sha256:{'a' * 64}"
PAGE = ROOT / "docs" / "how-to" / "air-gap.md"
VALUES = {"store": {"url": "s3://bucket/runs", "region": "here", "endpoint": "https://s3.internal"}}


def airgap(*words, check=True, **environment):
    command = [sys.executable, "-m", "tools.supply.airgap", *map(str, words)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert not check or done.returncode == 0, done.stderr
    return done


def sums(folder):
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def test_the_list_names_every_image_the_chart_the_wheels_the_data_and_the_kinds():
    said = airgap("--list", IMAGE=IMAGE).stdout
    for name in (
        IMAGE,
        *(one.reference for one in FOREIGN),
        "phase2-runner",
        "jdft_3d",
        f"Argo Workflows {TESTED}",
        "Kueue",
    ):
        assert name in said
    assert "constraints/train.txt" in said
    assert "constraints/cluster.txt" in airgap("--list", WHEELS="cluster").stdout


def test_a_bundle_has_the_sum_of_every_file(helm, tmp_path):  # noqa: F811
    airgap("--to", tmp_path / "made", "--only", "chart", IMAGE=IMAGE)
    files = {str(path.relative_to(tmp_path / "made")) for path in (tmp_path / "made").rglob("*") if path.is_file()}
    assert files == {"README.md", "SHA256SUMS", "manifest.json", f"charts/phase2-runner-{__version__}.tgz"}
    assert sums(tmp_path / "made").keys() == files - {"SHA256SUMS"}
    for name, digest in sums(tmp_path / "made").items():
        assert hashlib.sha256((tmp_path / "made" / name).read_bytes()).hexdigest() == digest
    made = helm("template", "phase2", tmp_path / "made" / "charts" / f"phase2-runner-{__version__}.tgz").stdout
    assert IMAGE in made


def test_a_missing_part_is_named_with_its_source(tmp_path):
    empty = {"PHASE2_CACHE_DIR": str(tmp_path / "cache")}
    done = airgap("--to", tmp_path / "made", "--only", "data", check=False, **empty)
    assert done.returncode == 1
    assert "get it from https://" in done.stderr
    (part,) = json.loads((tmp_path / "made" / "manifest.json").read_text())["parts"]
    assert "not downloaded here" in part["missing"]


def test_an_image_that_no_engine_can_pull_is_missing(tmp_path):
    done = airgap("--to", tmp_path / "made", "--only", "image", check=False, PATH="/nowhere")
    assert done.returncode == 1
    assert "none of skopeo, docker, podman, buildah is installed" in done.stderr
    assert not list((tmp_path / "made" / "images").iterdir())


def test_an_archive_holds_an_image_by_a_tag():
    assert archived_name(IMAGE) == f"registry.example.com/phase2:{__version__}"
    assert archived_name("localhost:5000/phase2") == f"localhost:5000/phase2:{__version__}"
    for one in FOREIGN:
        assert archived_name(one.reference) == one.name


def test_pytorch_of_an_index_with_its_cpu_build_takes_the_place_of_the_pinned_one(tmp_path, monkeypatch):
    """A stand-in for the wheel, in an index on the disk; pip itself downloads it and checks its hash."""
    text = (ROOT / "constraints" / "train.txt").read_text()
    (pinned,) = set(re.findall(r"^torch==([^ ;]+)", text, re.MULTILINE))
    index, to = tmp_path / "index" / "torch", tmp_path / "wheels"
    for folder in (index, to):
        folder.mkdir(parents=True)
    wheel = index / f"torch-{pinned}+cpu-py3-none-any.whl"
    about = f"torch-{pinned}+cpu.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {pinned}+cpu\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    (index / "index.html").write_text(f'<a href="{quote(wheel.name)}">{wheel.name}</a>')
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (to / "requirements.txt").write_text(bundle.without_gpu(text))
    monkeypatch.setenv("TORCH_HASH", f"sha256:{digest}")
    bundle.add_cpu_torch(to, text, (tmp_path / "index").as_uri())
    left = (to / "requirements.txt").read_text()
    assert left.endswith(f"\ntorch=={pinned}+cpu --hash=sha256:{digest}\n")
    assert not re.search(r"^(nvidia|cuda|triton)", left, re.MULTILINE)
    assert re.search(r"^numpy==", left, re.MULTILINE)
    monkeypatch.setenv("TORCH_HASH", f"sha256:{'0' * 64}")
    (to / wheel.name).unlink()
    with pytest.raises(bundle.NotCollectedError, match="Expected sha256 0000"):
        bundle.add_cpu_torch(to, text, (tmp_path / "index").as_uri())


def commands():
    """The commands of the page for the other side."""
    (block,) = (one for one in blocks(PAGE.read_text()) if one.text.startswith("$ sha256sum"))
    return "\n".join(block.commands)


@pytest.fixture
def no_network():
    """Words before a command that cut its network off."""
    words = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a process give up its network (unshare --net)")
    return words


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_page_is_followed_without_a_network(helm, no_network, tmp_path):  # noqa: F811
    folder = tmp_path / "made"
    airgap("--to", folder, "--only", "chart", "--only", "wheels", IMAGE=IMAGE, WHEELS="cluster")
    (folder / "values.yaml").write_text(yaml.safe_dump(VALUES))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "helm").symlink_to(helm._program)
    (programs / "python3").symlink_to(os.path.realpath(sys.executable))
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_", "PYTHON"))}
    environment = clean | {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def run(script):
        words = [*no_network, "bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    unreachable = run("exec 3<>/dev/tcp/1.1.1.1/443")
    assert "Network is unreachable" in unreachable.stderr
    done = run(commands())
    assert done.returncode == 0, done.stdout + done.stderr
    assert __version__ in done.stdout
    things = [one for one in yaml.safe_load_all((folder / "rendered.yaml").read_text()) if one]
    assert {"ConfigMap", "Role", "CronJob"} <= {one["kind"] for one in things}
    request = f"--image {IMAGE} --store s3://bucket --algorithm cgcnn --level smoke"
    plan = run(f"phase2-env/bin/phase2 submit {request} --dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "kind: Job" in plan.stdout
    (folder / "charts" / f"phase2-runner-{__version__}.tgz").write_bytes(b"damaged")
    assert "FAILED" in run("sha256sum --check --quiet SHA256SUMS").stdout
    shutil.rmtree(folder)
