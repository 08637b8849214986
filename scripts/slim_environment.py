"""Remove from an environment what a container never loads, and say what that saves. Run by the Dockerfile.

What goes is dead weight for a reason that can be checked: it builds code in an image without a compiler, it is for
other hardware, it tests other packages, or nothing that stays names it. With --cpu, what the CUDA build of PyTorch
opens on a GPU alone goes as well; the rest of CUDA stays, since PyTorch's CUDA build links it and would not be imported
without.
"""

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """What is removed together, below site-packages, and why."""

    why: str
    patterns: tuple[str, ...]


ALWAYS = (
    Rule(
        "parts of Triton for other GPUs, profiling and tests",
        tuple(
            f"triton/{name}"
            for name in (
                *("_C/libproton.so", "profiler", "plugins", "instrumentation", "FileCheck", "include"),
                *("backends/amd/lib", "backends/amd/include", "backends/nvidia/include", "backends/nvidia/lib/cupti*"),
                *("backends/nvidia/bin/cuobjdump", "backends/nvidia/bin/nvdisasm"),
            )
        ),
    ),
    Rule("device code for linking kernels", ("nvidia/nvshmem/lib/*.bc",)),
    Rule("CUDA libraries that no other names", ("nvidia/cu*/lib/libcusolverMg.so*",)),
    Rule("headers", ("torch/include", "nvidia/*/include", "nvidia/*/cccl", "pyarrow/include")),
    Rule("static libraries", ("**/*.a",)),
    Rule(
        "tests of other packages",
        tuple(f"{name}/**/tests" for name in ("pandas", "scipy", "sympy", "pyarrow", "matplotlib")),
    ),
)
ON_CPU = (
    Rule("Triton: it compiles kernels for GPUs", ("triton", "triton-*.dist-info")),
    Rule("cuDNN's engines", ("nvidia/cudnn/lib/libcudnn_*.so*",)),
    Rule("CUDA linear algebra", ("torch/lib/libtorch_cuda_linalg.so", "nvidia/cu*/lib/libcusolver.so*")),
    Rule(
        "CUDA profiling and extras",
        tuple(
            f"nvidia/cu*/lib/lib{name}*"
            for name in ("nvperf", "checkpoint", "pcsampling", "nvblas", "cufftw", "nvrtc-builtins")
        ),
    ),
    Rule("ways between GPUs of several machines", ("nvidia/nvshmem/lib/nvshmem_*.so*",)),
    Rule("CUDA for Python", ("cuda", "cuda_bindings-*.dist-info", "cuda_pathfinder-*.dist-info")),
)


def main() -> None:
    """Slim the environment that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path, help="a virtual environment")
    parser.add_argument("--cpu", action="store_true", help="remove what is opened on a GPU alone, too")
    arguments = parser.parse_args()
    (packages,) = arguments.environment.glob("lib/python3.*/site-packages")
    for why, size in slim(packages, cpu=arguments.cpu).items():
        print(f"{size / 1e6:7.0f} MB  {why}")


def slim(packages: Path, *, cpu: bool) -> dict[str, int]:
    """Remove what the rules name below site-packages; bytes that each saved, by reason."""
    rules = ALWAYS + ON_CPU if cpu else ALWAYS
    return {rule.why: sum(_remove(path) for path in _matches(packages, rule)) for rule in rules}


def _matches(packages: Path, rule: Rule) -> Iterator[Path]:
    found = {path for pattern in rule.patterns for path in packages.glob(pattern)}
    # What lies in a folder that goes is counted with the folder.
    yield from sorted(path for path in found if not any(folder in found for folder in path.parents))


def _remove(path: Path) -> int:
    if path.is_symlink() or path.is_file():
        size = path.lstat().st_size
        path.unlink()
        return size
    size = sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
    shutil.rmtree(path)
    return size


if __name__ == "__main__":
    main()
