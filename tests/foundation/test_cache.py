"""Features of a store: computed once per crystal, and kept."""

from typing import Any

import numpy as np
import pytest
from tests.foundation.potentials import potentials, salt

from phase2.config.schema import GraphSpec
from phase2.data.graphs.packing import pack
from phase2.data.store.store import GraphStore
from phase2.foundation import cache
from phase2.foundation.cache import cached_features
from phase2.foundation.featurizer import featurizer


@pytest.fixture(scope="module", params=potentials("sevennet-0", "chgnet"))
def model(request):
    return featurizer(request.param)


@pytest.fixture
def store(tmp_path):
    graphs = pack([salt(f"salt-{k}", edge=4 + k / 100) for k in range(7)], GraphSpec())
    return GraphStore(graphs, (), (), tmp_path / "store", "f" * 64)


class Counted:
    """A potential that counts the crystals it computes, and fails after some."""

    def __init__(self, model, most=100):
        self._model, self.left, self.name = model, most, model.name
        self.digest, self.width = model.digest, model.width
        self.seen = []

    def features(self, graphs, index):
        if self.left <= 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.seen += index.tolist()
        return self._model.features(graphs, index)


def test_each_crystal_is_computed_once_and_an_interruption_loses_nothing(model, store, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CHUNK", 2)
    stopped: Any = Counted(model, most=2)
    with pytest.raises(KeyboardInterrupt):
        cached_features(store, np.arange(6), stopped, cache_dir=tmp_path)
    assert len(stopped.seen) == 4
    rest: Any = Counted(model)
    told: list[tuple[int, int | None]] = []
    rows = cached_features(
        store, np.arange(7), rest, cache_dir=tmp_path, progress=lambda done, total: told.append((done, total))
    )
    assert sorted(stopped.seen + rest.seen) == list(range(7))
    assert told[-1] == (7, 7)
    np.testing.assert_allclose(rows, model.features(store.graphs, np.arange(7)), atol=1e-5)
    again: Any = Counted(model, most=0)
    np.testing.assert_array_equal(cached_features(store, np.arange(7), again, cache_dir=tmp_path), rows)
