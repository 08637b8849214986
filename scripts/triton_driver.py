"""Compile the C part of Triton's driver into an environment whose container has no compiler. Run by the Dockerfile.

Triton compiles it at the first use of a GPU, and the kernels themselves by what its package brings. It is compiled here
with Zig's C compiler, which is a Python package of this interpreter; phase2.models.layers.fused.driver offers it to
Triton. It names the CUDA driver of the machine that it will run on, for which an empty library stands in here.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

NAME = "cuda_utils.so"
CUDA = "libcuda.so.1"


def main() -> None:
    """Compile for the environment that the command line names, whose Python is this one's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path, help="a virtual environment")
    arguments = parser.parse_args()
    (folder,) = arguments.environment.glob("lib/python3.*/site-packages/triton/backends/nvidia")
    headers = Path(sysconfig.get_paths()["include"])
    if not (headers / "Python.h").is_file():
        print(
            f"There is no {headers}/Python.h: without it Triton cannot be used, and trainings do without fused kernels."
        )
        return
    compile_driver(folder, headers)
    print(f"{folder / NAME}: {(folder / NAME).stat().st_size / 1e6:.1f} MB")


def compile_driver(folder: Path, headers: Path) -> None:
    """Compile the driver in Triton's folder for NVIDIA's GPUs, with the headers of Python."""
    included = [f"-I{folder / 'include'}", f"-I{headers}"]
    with tempfile.TemporaryDirectory(prefix="zig-") as scratch:
        source, cuda = Path(scratch) / "empty.c", Path(scratch) / CUDA
        source.write_text("")
        _compile(scratch, source, cuda, f"-Wl,-soname,{CUDA}")
        _compile(scratch, folder / "driver.c", folder / NAME, *included, "-Wl,-z,lazy", "-Wl,--no-as-needed", str(cuda))


def _compile(scratch: str, source: Path, library: Path, *options: str) -> None:
    command = [sys.executable, "-m", "ziglang", "cc", "-O2", "-shared", "-fPIC", str(source), "-o", str(library)]
    caches = {"ZIG_GLOBAL_CACHE_DIR": scratch, "ZIG_LOCAL_CACHE_DIR": scratch}
    subprocess.run([*command, *options], check=True, env=os.environ | caches)


if __name__ == "__main__":
    main()
