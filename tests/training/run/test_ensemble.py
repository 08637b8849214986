"""``phase2 train --ensemble``: members are ordinary runs, continued one by one, and predict together."""

from pathlib import Path
from typing import Any

import pytest

from phase2.cli import main
from phase2.config.multirun.ensemble import ensemble_members
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.dataset import CrystalPropertyDataset
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.manifest import read_manifest
from phase2.storage.records import read_rows
from phase2.testing.same_result import assert_same_result
from phase2.training.run.experiment import train_run

COUNT = 3
EPOCHS = 6
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def run_of(output, run_id):
    (folder,) = output.glob(f"*/run_*_{run_id}")
    return RunDirectory(folder)


def train(request, *options):
    return main(["train", *request.command()[2:], "--ensemble", str(COUNT), "--no-baselines", *options])


@pytest.fixture(scope="module")
def whole(cache, tmp_path_factory, request_in):
    """Models folder of an ensemble that was never interrupted, and how often its data were loaded."""
    output = tmp_path_factory.mktemp("whole")
    loads: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        load = CrystalPropertyDataset.load

        def counted(*words: Any, **settings: Any) -> CrystalPropertyDataset:
            loads.append(words)
            return load(*words, **settings)

        patch.setattr(CrystalPropertyDataset, "load", counted)
        patch.setenv("PHASE2_RUN_ID", "trio")
        assert train(request_in(output, epochs=EPOCHS)) == 0
    return output, loads


def test_members_are_ordinary_runs_that_share_their_data(whole, request_in, tmp_path):
    output, loads = whole
    assert len(loads) == 1
    manifests = [read_manifest(run_of(output, f"trio-{k}").manifest) for k in range(COUNT)]
    assert [m.config.seed for m in manifests] == [1, 2, 3]
    assert len({m.data.fingerprint for m in manifests if m.data}) == 1
    alone = train_run(resolve(request_in(tmp_path, seed=2, epochs=EPOCHS))).directory
    assert_same_result(run_of(output, "trio-1"), alone)


def test_an_ensemble_killed_in_its_second_member_ends_where_it_would_have_ended(
    whole, cache, tmp_path, request_in, stopped_run, capfd
):
    request = request_in(tmp_path, epochs=EPOCHS)
    options = ("--ensemble", str(COUNT), "--no-baselines")
    pattern = "multitask_cgcnn/run_*_trio-1/checkpoint.pt"
    stopped_run(request, pattern, root=tmp_path, options=options, PHASE2_RUN_ID="trio")
    first = run_of(tmp_path, "trio-0")
    before = first.manifest.read_bytes(), first.attempts.read_bytes(), first.best.stat().st_mtime_ns
    assert not list(tmp_path.glob("*/run_*_trio-2"))
    assert train(request, "--resume", "trio") == 0
    assert (first.manifest.read_bytes(), first.attempts.read_bytes(), first.best.stat().st_mtime_ns) == before
    for k in range(COUNT):
        assert_same_result(run_of(tmp_path, f"trio-{k}"), run_of(whole[0], f"trio-{k}"))
    assert len(read_rows(run_of(tmp_path, "trio-1").attempts, Attempt)) == 2
    assert "--model" in capfd.readouterr().out.splitlines()[-1]


def test_all_members_predict_with_intervals(whole, tmp_path):
    output = tmp_path / "out.csv"
    words = [word for k in range(COUNT) for word in ("--model", str(run_of(whole[0], f"trio-{k}").path))]
    assert main(["predict", *words, "--dir", str(EXAMPLES), "--interval", "0.5", "--output", str(output)]) == 0
    heading = output.read_text().splitlines()[0]
    assert "std of bulk_modulus [GPa]" in heading
    assert "bulk_modulus_low [GPa],bulk_modulus_high [GPa]" in heading


@pytest.mark.parametrize("options", [["--resume"], ["--resume", "nobody"], ["--report-to", "x"]])
def test_requests_that_name_no_ensemble_are_refused(request_in, tmp_path, options):
    assert train(request_in(tmp_path), *options) == 2
    assert not list(tmp_path.iterdir())


def test_names_and_seeds_are_those_of_the_workflow():
    """The template expands ``seed=1,2,3,4`` as a sweep."""
    request = RunRequest(algorithm="cgcnn", level="smoke")
    sweep = SweepRequest(algorithm="cgcnn", lists={"level": "smoke", "seed": "1,2,3,4"}).runs("four")
    assert [(m.run_id, m.request) for m in ensemble_members(request, "four", 4)] == [
        (run.run_id, run.request) for run in sweep
    ]
    assert [m.run_id for m in ensemble_members(request, "x", 11)][:1] == ["x-00"]


@pytest.mark.parametrize("count", [-1, 0, 1, 65])
def test_one_is_no_ensemble(count):
    with pytest.raises(RequestError, match="2 to 64"):
        ensemble_members(RunRequest(algorithm="cgcnn", level="smoke"), "x", count)
