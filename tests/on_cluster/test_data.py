"""Data of this machine in pods: pushed from a folder, and found again by the address in the manifest of a run."""

import random

import pytest
from tests.on_cluster.support.runs import SMALL, TRAINING

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

POSCAR = "{a} {b}\n1.0\n{edge} 0 0\n0 {edge} 0\n0 0 {edge}\n{a} {b}\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
TRAIN = ["--backend", "job", *TRAINING, *SMALL, "--epochs", "2", "--properties", "formation_energy", "--cache", "none"]


@pytest.fixture
def folder(tmp_path):
    """Forty structures of a person, with a table of labels."""
    chance, rows = random.Random(0), ["file,formation_energy [eV/atom]"]
    for k in range(40):
        a, b, edge = chance.choice(["Li", "Na", "K"]), chance.choice(["F", "Cl", "Br"]), chance.uniform(3.8, 4.8)
        (tmp_path / f"{k}.vasp").write_text(POSCAR.format(a=a, b=b, edge=f"{edge:.4f}"))
        rows.append(f"{k}.vasp,{-edge:.4f}")
    (tmp_path / "targets.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def trained(runs, bucket, run_id, *words):
    """Submit a run whose pod has an empty cache, and return its manifest."""
    result = runs.phase2("submit", "--run-id", run_id, "--store", runs.store, *TRAIN, *words)
    assert result.code == 0, result.errors
    runs.wait_for_end(run_id)
    return runs.published(run_id, bucket).manifest


def test_a_pod_trains_on_a_pushed_folder_and_another_with_an_empty_cache_by_the_address(runs, bucket, folder):
    refused = runs.phase2("submit", *TRAIN, "--store", runs.store, "--data", str(folder))
    assert (refused.code, "phase2 data push" in refused.errors) == (2, True)
    first = trained(runs, bucket, runs.id("pushed"), "--data", str(folder), "--push")
    address = first.data.address
    assert address == first.config.data.source
    assert address.startswith("sha256:")
    named = runs.phase2("data", "push", str(folder), "--name", "mine")
    assert (named.code, named.out.strip()) == (0, address)
    assert "nothing was stored" in named.errors
    for run_id, data in ((runs.id("by-address"), address), (runs.id("by-name"), "mine")):
        again = trained(runs, bucket, run_id, "--data", data)
        assert again.data == first.data
        assert (again.val, again.test, again.score) == (first.val, first.test, first.score)
    listed = runs.phase2("data", "list", "--store", runs.store, "--json")
    assert listed.code == 0, listed.errors
    assert runs.id("by-name") in listed.out
