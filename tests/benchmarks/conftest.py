"""Small files with a published split, of real crystals and made-up labels."""

import gzip
import json

import pytest

from phase2.data.crystals.elements import SYMBOLS
from phase2.data.sources.registry import open_source


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def crystals():
    """The first sixty crystals of the sample."""
    source = open_source("sample")
    return [source.parse(raw).crystal for _, raw in zip(range(60), source.records(), strict=False)]


@pytest.fixture(scope="session")
def records(crystals):
    """These crystals as JARVIS's records, with every fifth in the part ``val``."""
    return [
        {
            "jid": f"c-{k}",
            "atoms": {
                "lattice_mat": crystal.lattice.tolist(),
                "coords": crystal.frac.tolist(),
                "elements": [SYMBOLS[z - 1] for z in crystal.species],
                "cartesian": False,
            },
            "split": "train" if k % 5 else "val",
            "band_gap": k / 10,
        }
        for k, crystal in enumerate(crystals)
    ]


@pytest.fixture(scope="session")
def data(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("data") / "all.json.gz"
    path.write_bytes(gzip.compress(json.dumps(records).encode()))
    return path
