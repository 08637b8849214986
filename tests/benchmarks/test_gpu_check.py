"""The check of a GPU, tried on the CPU: what it needs, what it records, and what happens when a section fails."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from bench.gpu.networks import FEATURES, FUSED, LOADED, RECORDED, networks, one_of_each_size, smallest_batches
from bench.gpu.pack import pack_crystals
from bench.gpu.record.report import Report
from bench.gpu.record.rows import (
    BaselineRow,
    FirstStepRow,
    LawRow,
    PredictionRow,
    ProfileRow,
    SkippedRow,
    TrainingRow,
)
from bench.gpu.record.table import markdown
from bench.gpu.runner import context, run_section
from bench.gpu.sections.baselines import baselines
from bench.gpu.sections.laws import laws
from bench.gpu.sections.machine import machine
from bench.gpu.sections.prediction import PREDICTED, predicted
from bench.gpu.sections.registry import MACHINE, SECTIONS, Plan
from bench.gpu.sections.trace import Trace, read_trace
from bench.gpu.setting import Setting

from phase2.config.levels import PROFILES
from phase2.errors import RequestError

ROOT = Path(__file__).parents[2]
ALLOWED = ("torch", "e3nn", "numpy", "pydantic")

REFUSE = """
import os, sys
from importlib.machinery import PathFinder

REFUSED = frozenset(os.environ["REFUSED_MODULES"].split(","))

class Others(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in REFUSED else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Others
"""


def installed_beyond(*allowed):
    """Names of the installed modules that these distributions do not need."""
    needed, left = set(), list(allowed)
    while left:
        name = re.sub(r"[-_.]+", "-", left.pop().lower())
        if name not in needed:
            needed.add(name)
            try:
                requires = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue
            left += [re.split(r"[^\w.-]", r, maxsplit=1)[0] for r in requires if "extra ==" not in r]
    modules = {
        module: {re.sub(r"[-_.]+", "-", name.lower()) for name in names}
        for module, names in metadata.packages_distributions().items()
    }
    return sorted(module for module, names in modules.items() if not names & needed and module != "phase2")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "crystals.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        pack_crystals(path, 60)
    return path


def environment(folder, *, refused=()):
    (folder / "sitecustomize.py").write_text(REFUSE if refused else "")
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT / "src", ROOT))),
        "REFUSED_MODULES": ",".join(refused),
        "OMP_NUM_THREADS": "1",
    }


def run_check(folder, store, *words, refused=()):
    command = [sys.executable, "-m", "bench.gpu", "--device", "cpu", "--quick", "--data", store, "--output", folder]
    env = environment(folder, refused=refused)
    ended = subprocess.run([*command, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return ended, Report.model_validate_json((folder / "gpu-cpu.json").read_bytes())


@pytest.fixture(scope="module")
def checked(store, tmp_path_factory):
    """The whole check, where nothing can be imported but what a GPU machine is asked for."""
    return run_check(tmp_path_factory.mktemp("results"), store, refused=installed_beyond(*ALLOWED))


@pytest.mark.slow
class TestWholeCheck:
    def test_needs_four_packages_alone(self, checked):
        ended, report = checked
        assert ended.returncode == 0, ended.stderr
        assert [section.error for section in report.sections] == [""] * (1 + len(SECTIONS))

    def test_lists_every_section(self, checked):
        _, report = checked
        assert [section.name for section in report.sections] == [MACHINE.name, *(plan.name for plan in SECTIONS)]

    @pytest.mark.parametrize("kind", [TrainingRow, ProfileRow])
    def test_measures_every_network_with_every_feature(self, checked, kind):
        _, report = checked
        expected = [n.model_copy(update={"feature": feature}) for feature in FEATURES for n in networks()]
        further = [feature for feature in LOADED if feature not in FUSED] if kind is TrainingRow else [RECORDED]
        expected += [n.model_copy(update={"feature": feature}) for feature in further for n in smallest_batches()]
        assert [row.network for row in report.rows(kind)] == expected

    def test_predicts_with_every_size(self, checked):
        _, report = checked
        rows = report.rows(PredictionRow)
        assert [row.network for row in rows] == predicted(quick=True)
        assert {(n.algorithm, n.size) for n in one_of_each_size()} == {
            (row.network.algorithm, row.network.size) for row in rows
        }
        assert {row.network.feature for row in rows} == set(PREDICTED)

    def test_shares_are_shares(self, checked):
        _, report = checked
        rows = report.rows(TrainingRow)
        assert all(0 < row.optimizer_share < 1 for row in rows if row.network.feature != RECORDED)
        assert all(row.optimizer_share is None for row in rows if row.network.feature == RECORDED)
        assert all(row.operators > 100 and row.launches is None for row in report.rows(ProfileRow))
        (first,) = report.rows(FirstStepRow)
        assert 0 < first.imports < first.total

    def test_laws_hold_and_a_run_resumes_bit_for_bit(self, checked):
        _, report = checked
        assert all(law.holds for law in report.laws)
        resumed = [law for law in report.laws if "resumed" in law.law]
        assert [(law.gap, law.tolerance) for law in resumed] == [(0.0, 0.0)] * 2

    def test_says_what_was_not_measured(self, checked):
        ended, report = checked
        skipped = [row.what for row in report.rows(SkippedRow)]
        expected = ["laws of fused kernels", "training in bf16", "training with fused kernels"]
        assert skipped == [*expected, "PyG CGConv, cgcnn small"]
        assert all(f"- {what}" in ended.stdout for what in skipped)
        assert "its times mean nothing" in ended.stdout
        assert ended.stdout == markdown(report) + "\n"


def test_the_import_hook_refuses(tmp_path):
    env = environment(tmp_path, refused=installed_beyond(*ALLOWED))
    for module, is_refused in (("pymatgen", True), ("platformdirs", True), ("pydantic", False)):
        ended = subprocess.run([sys.executable, "-c", f"import {module}"], env=env, capture_output=True, check=False)
        assert (ended.returncode != 0) == is_refused


def test_every_row_of_the_levels_table_is_measured():
    rows = [(n.algorithm, mode) for n in networks() for mode in n.levels]
    assert sorted(rows) == sorted(PROFILES)


@pytest.mark.slow
def test_a_failing_section_is_reported_and_the_others_run(store, tmp_path):
    damaged = tmp_path / "damaged.npz"
    with np.load(store) as file:
        np.savez(damaged, **{name: file[name] for name in file.files if not name.startswith("equivalents/")})
    ended, report = run_check(tmp_path, damaged, "--only", "laws", "prediction")
    _, failed, whole = report.sections
    assert (failed.status, whole.status) == ("failed", "complete")
    assert "cannot be read" in failed.error
    assert [row.law for row in failed.rows] == ["predictions are those of the CPU", "gradients are those of the CPU"]
    assert [row.network for row in whole.rows if row.kind == "prediction"] == predicted(quick=True)
    assert ended.returncode == 1
    assert "- laws failed: DataError" in ended.stdout


def test_a_section_that_takes_too_long_is_ended(store):
    section = run_section(Plan("laws", 0.2), Setting("cpu", store, quick=True), context("spawn"))
    assert (section.status, section.error) == ("failed", "ended after its 0 seconds")


@pytest.mark.slow
def test_a_law_that_does_not_hold_is_found(store, tmp_path):
    other = tmp_path / "other.npz"
    with np.load(store) as file:
        arrays = dict(file)
    turned = [str(name).endswith("rotation") for name in arrays["equivalents/ids"]]
    arrays["equivalents/lattice"][turned] *= 1.02
    arrays["equivalents/link_distance"] = arrays["equivalents/link_distance"] * 1.02
    np.savez(other, **arrays)
    rows = [row for row in laws(Setting("cpu", other, quick=True)) if isinstance(row, LawRow)]
    broken = {(row.law, row.subject.split()[0]) for row in rows if not row.holds}
    assert broken == {("predictions do not change with rotation", "e3nn")}


@pytest.mark.slow
def test_both_baselines_are_compared(store):
    pytest.importorskip("torch_geometric")
    rows = [row for row in baselines(Setting("cpu", store, quick=True)) if isinstance(row, BaselineRow)]
    assert [(row.network.algorithm, row.ratio > 0) for row in rows] == [("e3nn", True), ("cgcnn", True)]


def test_a_gpu_that_is_not_there_is_refused(store):
    with pytest.raises(RequestError, match="'cuda:99'"):
        list(machine(Setting("cuda:99", store, quick=True)))


def test_without_crystals_the_check_says_how_to_make_them(tmp_path):
    command = [sys.executable, "-m", "bench.gpu", "--data", tmp_path / "none.npz"]
    ended = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "make gpu-pack" in ended.stderr


def test_a_law_without_a_finite_difference_fails():
    assert not LawRow.of("a law", "a network", float("nan"), 1.0).holds
    assert LawRow.of("a law", "a network", 0.0, 0.0).holds


def test_a_trace_is_counted(tmp_path):
    def event(category, name, start, duration):
        return {"ph": "X", "cat": category, "name": name, "ts": start, "dur": duration, "tid": 1}

    events = [
        event("cpu_op", "aten::linear", 0, 100),
        event("cpu_op", "aten::t", 5, 10),
        event("cpu_op", "aten::addmm", 20, 70),
        event("cpu_op", "aten::item", 200, 30),
        event("cpu_op", "aten::_local_scalar_dense", 210, 10),
        event("cuda_runtime", "cudaLaunchKernel", 30, 5),
        event("cuda_driver", "cuLaunchKernelEx", 40, 5),
        event("cuda_runtime", "cudaStreamSynchronize", 215, 5),
        event("gpu_user_annotation", "Optimizer.step#AdamW.step", 0, 5000),
        event("kernel", "gemm", 1000, 300),
        event("kernel", "reduce", 1200, 200),
        event("gpu_memcpy", "Memcpy DtoH", 2000, 100),
        {"ph": "M", "name": "process_name"},
    ]
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"traceEvents": events}))
    assert read_trace(path) == Trace(operators=3, launches=2, host_reads=1, synchronisations=1, busy_ms=0.5)
