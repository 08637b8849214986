"""What is removed from the image's environment, and what must stay."""

import importlib.util
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("slim_environment", PROJECT / "scripts" / "slim_environment.py")
assert spec is not None
assert spec.loader is not None
slim_environment = importlib.util.module_from_spec(spec)
spec.loader.exec_module(slim_environment)

GOES_ALWAYS = [
    "triton/_C/libproton.so",
    "triton/backends/amd/lib/ocml.bc",
    "triton/backends/nvidia/bin/nvdisasm",
    "triton/backends/nvidia/include/cuda.h",
    "triton/backends/nvidia/lib/cupti/libcupti.so",
    "torch/include/ATen/ATen.h",
    "nvidia/cu13/include/cuda.h",
    "nvidia/cu13/lib/libcudart_static.a",
    "nvidia/cu13/lib/libcusolverMg.so.12",
    "nvidia/nvshmem/lib/libnvshmem_device_sm_90.bc",
    "pandas/tests/io/test_sql.py",
]
GOES_WITHOUT_GPU = [
    "triton/_C/libtriton.so",
    "triton/backends/amd/compiler.py",
    "triton/backends/nvidia/bin/ptxas",
    "triton/backends/nvidia/cuda_utils.so",
    "triton/backends/nvidia/lib/libdevice.10.bc",
    "triton-3.9.0.dist-info/METADATA",
    "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9",
    "nvidia/cu13/lib/libcusolver.so.12",
    "torch/lib/libtorch_cuda_linalg.so",
    "cuda/bindings/driver.so",
]
STAYS = [
    "torch/lib/libtorch_cuda.so",
    "torch/testing/__init__.py",
    "nvidia/cudnn/lib/libcudnn.so.9",
    "nvidia/cu13/lib/libcublasLt.so.13",
    "nvidia/cu13/lib/libcudart.so.13",
    "numpy/_core/tests/_natype.py",
    "phase2/testing/crystals.py",
]


@pytest.fixture
def packages(tmp_path):
    for name in GOES_ALWAYS + GOES_WITHOUT_GPU + STAYS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 1000)
    return tmp_path


@pytest.mark.parametrize("cpu", [False, True])
def test_what_goes_and_what_stays(packages, cpu):
    saved = slim_environment.slim(packages, cpu=cpu)
    left = {str(path.relative_to(packages)) for path in packages.rglob("*") if path.is_file()}
    assert left == set(STAYS) | (set() if cpu else set(GOES_WITHOUT_GPU))
    gone = GOES_ALWAYS + (GOES_WITHOUT_GPU if cpu else [])
    assert sum(saved.values()) == 1000 * len(gone)
    assert sum(slim_environment.slim(packages, cpu=cpu).values()) == 0


def test_a_base_without_the_headers_of_python_builds_an_image_without_fused_kernels(tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("triton_driver", PROJECT / "scripts" / "triton_driver.py")
    assert spec is not None
    triton_driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(triton_driver)
    folder = tmp_path / "lib" / "python3.13" / "site-packages" / "triton" / "backends" / "nvidia"
    folder.mkdir(parents=True)
    monkeypatch.setattr(triton_driver.sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    monkeypatch.setattr(triton_driver.sys, "argv", ["triton_driver.py", str(tmp_path)])
    triton_driver.main()
    assert "trainings do without fused kernels" in capsys.readouterr().out
    assert list(folder.iterdir()) == []


def test_the_context_of_the_build_holds_what_the_dockerfile_copies():
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word
        for line in (PROJECT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied
    assert all(any(word == path or word.startswith(f"{path}/") for path in let_in) for word in copied)
    assert all((PROJECT / word).exists() for word in copied)
