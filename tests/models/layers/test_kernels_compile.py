"""The fused kernels compile for GPUs, which takes none."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton", reason="Triton is installed with PyTorch on Linux alone.")

KERNELS = 6
COMPILE = """
import sys
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from phase2.models.layers.fused import gate_kernels, product_kernels

TYPES = dict.fromkeys(("sender", "receiver", "bounds", "sent"), "*i64") | dict.fromkeys(("jobs", "terms"), "*i32")
TYPES |= dict.fromkeys(("n_bonds", "n_links"), "i32")
FIXED = {"FEATURES": 480, "WEIGHTS": 880, "BLOCKS": 100, "OUT": 1000, "P": 5, "Q": 5, "P_TILE": 8, "Q_TILE": 8, "C": 64,
         "WIDTH": 128, "C_TILE": 32, "W_TILE": 32, "TILE": 16, "TYPE": tl.float32}
PRODUCT, GATE = ("sum_messages", "weight_gradient", "feature_gradient"), ("sum_gated", "gate_gradient", "unnormalise")


def compiled(kernel, types):
    types = TYPES | types
    signature = {n: types.get(n, "constexpr" if n in FIXED else "*fp32") for n in kernel.arg_names}
    constants = {(k,): FIXED[n] for k, n in enumerate(kernel.arg_names) if n in FIXED}
    source, target = ASTSource(kernel, signature, constants, {}), GPUTarget("cuda", int(sys.argv[1]), 32)
    triton.compile(source, target=target, options={"enable_fp_fusion": True})


for name in PRODUCT:
    out = {} if name == "sum_messages" else {"out": "*bf16"}
    for types in ({}, {"features": "*bf16", "weights": "*bf16"} | out):
        compiled(getattr(product_kernels, name), types)
    print(name)
for name in GATE:
    compiled(getattr(gate_kernels, name), {"receiver": "*i32", "bounds": "*i32"})
    print(name)
"""


@pytest.mark.parametrize("capability", [80, 90, 100])
def test_the_kernels_compile_for_gpus(capability, tmp_path):
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", COMPILE, str(capability)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == KERNELS
