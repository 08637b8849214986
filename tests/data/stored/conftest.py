"""A small data set of a person, a folder that is a store, and the cache of a machine."""

import json
import shutil

import pytest

from phase2.config.schema import DataConfig
from phase2.data.dataset import open_graph_store
from phase2.data.sources.registry import open_source
from phase2.data.stored.push import LocalData, push_data
from phase2.storage.urls import open_store

POSCAR = """{a} {b}
1.0
{edge} 0 0
0 {edge} 0
0 0 {edge}
{a} {b}
1 1
direct
0 0 0
0.5 0.5 0.5
"""
SALTS = [("Na", "Cl"), ("K", "Br"), ("Cs", "I"), ("Li", "F"), ("Rb", "Cl"), ("Mg", "O")]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The graph store of the folder, built once: its reader process takes seconds to start."""
    here = tmp_path_factory.mktemp("built")
    open_graph_store(DataConfig(source=str(make_folder(here / "salts"))), cache=here / "cache")
    return here / "cache"


@pytest.fixture
def cache(built, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("PHASE2_STORE", raising=False)
    return shutil.copytree(built, tmp_path / "cache")


@pytest.fixture
def folder(tmp_path):
    """A folder of structures with a table, and what else lies beside them."""
    return make_folder(tmp_path / "salts")


def make_folder(found):
    (found / "more").mkdir(parents=True)
    rows = ["file,formation_energy [eV/atom]"]
    for k, (a, b) in enumerate(SALTS):
        name = f"{'more/' if k % 2 else ''}{a}{b}.vasp"
        (found / name).write_text(POSCAR.format(a=a, b=b, edge=4.0 + k / 10))
        rows.append(f"{name},{-k / 4}")
    (found / "targets.csv").write_text("\n".join(rows) + "\n")
    (found / "WAVECAR").write_bytes(b"w" * 5000)
    return found


@pytest.fixture
def lines(tmp_path):
    """The same crystals as JSON lines: one file."""
    path = tmp_path / "salts.jsonl"
    records = [
        {
            "id": f"{a}{b}",
            "atoms": {
                "lattice_mat": [[4 + k / 10, 0, 0], [0, 4 + k / 10, 0], [0, 0, 4 + k / 10]],
                "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
                "elements": [a, b],
                "cartesian": False,
            },
            "formation_energy": -k / 4,
        }
        for k, (a, b) in enumerate(SALTS)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def push(cache):
    """Push a data set into a store, as the command does."""

    def do(store, path, **settings):
        local = LocalData.read(path)
        built = open_graph_store(DataConfig(source=str(path), **settings))
        return push_data(store, local, built, open_source(str(path)).fingerprint)

    return do
