"""Features of CHGNet are those of its own interface, and loading it leaves the process as it was."""

import os
import subprocess
import sys

import numpy as np
import pytest
from tests.foundation.potentials import NOT_INSTALLED, features, salt

from phase2.config.schema import DataConfig, GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.dataset import open_graph_store
from phase2.data.graphs.packing import pack
from phase2.foundation.chgnet import CHGNet
from phase2.foundation.featurizer import featurizer

pytest.importorskip("chgnet", reason=NOT_INSTALLED)


def test_they_are_those_of_its_own_interface():
    """The third layer and the last are what it offers of its atoms and of the crystal, which is their sum."""
    from pymatgen.core import Structure

    graphs = open_graph_store(DataConfig(source="sample")).graphs
    index = np.arange(0, len(graphs), len(graphs) // 6)
    found = featurizer("chgnet").features(graphs, index)
    own = CHGNet("0.3.0")._model
    assert found.shape == (len(index), 512)
    for row, k in zip(found, index.tolist(), strict=True):
        atoms = slice(*graphs.atom_offset[k : k + 2].tolist())
        structure = Structure(
            graphs.lattice[k].astype(float),
            graphs.species[atoms].tolist(),
            graphs.positions[atoms].astype(float),
            coords_are_cartesian=True,
        )
        expected = own.predict_structure(structure, task="e", return_atom_feas=True, return_crystal_feas=True)
        scale = 1 + np.abs(expected["atom_fea"]).max()
        np.testing.assert_allclose(row[128:192], expected["atom_fea"].mean(axis=0), atol=1e-5 * scale)
        np.testing.assert_allclose(row[384:448], expected["atom_fea"].std(axis=0), atol=1e-4 * scale)
        np.testing.assert_allclose(row[192:256], expected["crystal_fea"] / len(structure), atol=1e-4)


def test_a_crystal_with_an_isolated_atom_has_none_and_is_refused():
    argon = Crystal.checked("argon", (18, 18), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.eye(3) * 9)
    found = features(featurizer("chgnet"), argon, salt())
    assert np.isfinite(found).all(axis=1).tolist() == [False, True]
    said = featurizer("chgnet").refusal(pack([argon], GraphSpec()), 0)
    assert said == "CHGNet 0.3.0 gives it no features: an atom of it has no other within 6 angstrom"


LOADED = """
import os, sys, torch
from phase2.foundation.featurizer import featurizer
torch.manual_seed(1)
model = featurizer("chgnet")
import pynvml
assert "nvidia_smi" not in sys.modules
assert not torch.cuda.is_initialized()
assert next(model._model._model.parameters()).device.type == "cpu"
"""


def test_loading_it_prints_nothing_chooses_no_device_and_leaves_no_stand_in():
    asked = {**os.environ, "CHGNET_DEVICE": "cuda"}
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, env=asked, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
