"""Labels that models and predictions are judged by: those that a training would take."""

import json

import numpy as np
import pytest

from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.schema import DataConfig
from phase2.config.settings import CACHE_VARIABLE
from phase2.errors import DataError
from phase2.evaluation.data import open_labelled
from phase2.properties import get_property

SHARE = PropertyDefinition(key="share", lower=0, upper=0.1)


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))

    def open_with(prop, labels):
        path = tmp_path / "mine.jsonl"
        with path.open("w") as file:
            for k, label in enumerate(labels):
                atoms = {"lattice_mat": ((3.5 + k / 10) * np.eye(3)).tolist(), "coords": [[0, 0, 0]]}
                record = {"jid": f"c{k}", "atoms": {**atoms, "elements": ["Na"], "cartesian": False}, prop.key: label}
                file.write(json.dumps(record) + "\n")
        return open_labelled(DataConfig(source=str(path), own_properties=(SHARE,)), [prop])

    return open_with


def test_labels_beyond_bounds_are_left_out_and_counted(labelled):
    found = labelled(SHARE.as_property(), [0.0, 0.1, 0.2, -1.0, 0.05])
    assert found.ids == ["c0", "c1", "c4"]
    assert found.labels.ravel().tolist() == [0.0, 0.1, 0.05]
    assert found.unlabelled == 2
    assert found.remarks == ("share: 2 labels beyond the bounds of the property, such as that of c2, left out",)


def test_numbers_that_stand_for_a_missing_label_are_refused(labelled):
    with pytest.raises(DataError, match="1 label of band_gap is -999, such as that of 'c1'"):
        labelled(get_property("band_gap"), [1.0, -999, 2.0])


def test_labels_beyond_reason_are_remarked_on(labelled):
    found = labelled(get_property("band_gap"), [1200.0, 1.5, 0.0])
    assert found.labels.ravel().tolist() == [1200.0, 1.5, 0.0]
    assert "band_gap: 1 of 3 labels are beyond reason" in found.remarks[0]
