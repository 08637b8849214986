"""Stores of further properties: the graphs of a store that is there, with labels read anew."""

import json
import logging
from dataclasses import fields

import numpy as np
import pytest

from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.sources.registry import open_source
from phase2.data.store.store import open_or_build_store
from phase2.properties import PROPERTIES

CV = PropertyDefinition(key="cv", unit="J/mol/K", column="heat_capacity").as_property()
NONE = {"lattice_mat": np.eye(3).tolist(), "coords": [[0, 0, 0]], "elements": ["Xx"], "cartesian": False}


def record(k, **more):
    lattice = np.diag([3.5 + 0.02 * k, 4, 4]).tolist()
    atoms = {"lattice_mat": lattice, "coords": [[0, 0, 0], [0.5] * 3], "elements": ["Na", "Cl"], "cartesian": False}
    return {"jid": f"salt-{k}", "atoms": atoms, "band_gap": 1.0 + k, "heat_capacity": 10.0 * k} | more


@pytest.fixture
def data(tmp_path):
    """Valid records among those that have no structure, no label, both, an id that was there, or none at all."""
    records = [record(k) for k in range(300)]
    records[3] = record(3, heat_capacity="hot")
    records[5] = record(5, atoms=NONE)
    records[7] = record(7, atoms=NONE, heat_capacity="hot")
    records[9] = record(9, heat_capacity=None)
    records[11] = record(11, jid="salt-10")
    records[13] = record(13, band_gap="wide", heat_capacity="hot")
    lines = [json.dumps(one) for one in records]
    lines[270] = '{"jid": '
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def open_store(path, cache, properties):
    return open_or_build_store(open_source(str(path), properties=properties), GraphSpec(), cache_dir=cache, workers=1)


def test_a_store_made_of_another_is_that_which_is_built(data, tmp_path, monkeypatch):
    own = (*PROPERTIES, CV)
    built = open_store(data, tmp_path / "whole", own)
    open_store(data, tmp_path / "cache", PROPERTIES)
    monkeypatch.setattr("phase2.data.store.builder.pack_chunks", None)  # nothing is built
    found = open_store(data, tmp_path / "cache", own)
    assert found.fingerprint == built.fingerprint
    for field in fields(PackedGraphs):
        np.testing.assert_array_equal(getattr(found.graphs, field.name), getattr(built.graphs, field.name))
    assert set(found.rejected) == set(built.rejected)
    assert len(found.rejected) == 6
    assert found.graphs.targets.shape == (294, 10)


def test_graphs_of_other_records_are_not_used(data, tmp_path, caplog):
    base = open_store(data, tmp_path / "cache", PROPERTIES)
    ids = np.load(base.path / "ids.npy")
    ids[20] = "salt-x"
    np.save(base.path / "ids.npy", ids)
    with caplog.at_level(logging.WARNING):
        found = open_store(data, tmp_path / "cache", (*PROPERTIES, CV))
    assert "All graphs of" in caplog.text
    assert "salt-20" in found.graphs.ids


def test_without_a_store_to_begin_with_everything_is_built(data, tmp_path):
    assert len(open_store(data, tmp_path / "cache", (*PROPERTIES, CV)).graphs) == 294
    assert [path.suffix for path in (tmp_path / "cache" / "graphs").iterdir() if path.is_dir()] == [""]
