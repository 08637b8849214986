"""The image's compiled part of Triton's driver is used instead of a compiler."""

from typing import Any

import pytest

triton = pytest.importorskip("triton", reason="Triton is installed with PyTorch on Linux alone.")

from phase2.models.layers.fused import driver  # noqa: E402


def test_it_is_used_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(triton.knobs.build, "impl", None)
    monkeypatch.setattr(driver, "PREBUILT", tmp_path / "cuda_utils.so")
    assert not driver.use_prebuilt_driver()
    assert triton.knobs.build.impl is None
    driver.PREBUILT.write_bytes(b"library")
    assert driver.use_prebuilt_driver()
    build: Any = triton.knobs.build.impl
    assert build("cuda_utils", "driver.c", "/tmp", [], [], []) == str(driver.PREBUILT)
    with pytest.raises(RuntimeError, match="no C compiler, which Triton needs for 'launcher'"):
        build("launcher", "launcher.c", "/tmp", [], [], [])
