"""Labels of properties that a run defines: read from every kind of data set, beside the nine."""

import json

import numpy as np
import pytest

from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.data.property_texts import parse_property
from phase2.config.schema import DataConfig, GraphSpec
from phase2.data.dataset import CrystalPropertyDataset, open_graph_store
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.sources.file_source import FileSource
from phase2.data.sources.registry import open_source
from phase2.data.store.store import open_or_build_store
from phase2.properties import KEYS, PROPERTIES

HEAT = PropertyDefinition(key="cv", unit="J/mol/K", column="heat_capacity")
MASS = PropertyDefinition(key="mass")


def record(k):
    atoms = {
        "lattice_mat": np.diag([3.5 + 0.02 * k, 4, 4]).tolist(),
        "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
        "elements": ["Na", "Cl"],
        "cartesian": False,
    }
    return {"jid": f"salt-{k}", "atoms": atoms, "band_gap": 1.0 + k, "heat_capacity": 10.0 * k, "mass": None}


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(record(k)) + "\n" for k in range(30)))
    return path


def test_a_store_has_the_columns_of_the_nine_and_then_those_of_the_definitions(data, tmp_path):
    config = DataConfig(source=str(data), own_properties=(MASS, HEAT))
    store = open_graph_store(config, cache=tmp_path, workers=1)
    assert store.graphs.targets.shape == (30, 11)
    assert np.isnan(store.graphs.targets[:, 9]).all()
    np.testing.assert_array_equal(store.graphs.targets[:, 10], 10 * np.arange(30, dtype=np.float32))
    again = open_graph_store(config, cache=tmp_path, workers=1)
    np.testing.assert_array_equal(again.graphs.targets, store.graphs.targets)
    assert again.graphs.take(np.array([3, 1])).targets[:, 10].tolist() == [30, 10]


def test_a_store_keeps_its_fingerprint_unless_there_are_definitions(data, tmp_path):
    def fingerprint(properties):
        source = FileSource(data, properties=properties)
        return open_or_build_store(source, GraphSpec(), cache_dir=tmp_path, workers=1).fingerprint

    plain = fingerprint(PROPERTIES)
    assert plain == open_or_build_store(FileSource(data), GraphSpec(), cache_dir=tmp_path, workers=1).fingerprint
    own = HEAT.as_property()
    titled = PropertyDefinition.model_validate(HEAT.model_dump() | {"title": "Heat", "transform": "log1p"})
    other = PropertyDefinition.model_validate(HEAT.model_dump() | {"column": "mass"})
    assert fingerprint((*PROPERTIES, own)) not in (plain, fingerprint((*PROPERTIES, other.as_property())))
    assert fingerprint((*PROPERTIES, own)) == fingerprint((*PROPERTIES, titled.as_property()))


def test_own_properties_are_loaded_alone_and_with_the_nine(data, tmp_path):
    config = DataConfig(source=str(data), own_properties=(HEAT,))
    both = CrystalPropertyDataset.load(config, ("band_gap", "cv"), cache=tmp_path, workers=1)
    assert [p.key for p in both.properties] == ["band_gap", "cv"]
    np.testing.assert_allclose(both.targets[:, 1], 10 * (both.targets[:, 0] - 1))
    alone = CrystalPropertyDataset.load(config, ("cv",), cache=tmp_path, workers=1)
    np.testing.assert_array_equal(alone.targets[:, 0], both.targets[:, 1])
    assert alone.split.fingerprint(alone.graphs.ids) == both.split.fingerprint(both.graphs.ids)


def test_a_csv_names_them_by_column_or_key_in_any_case(tmp_path):
    poscar = "salt\n1.0\n4 0 0\n0 4 0\n0 0 4\nCs Cl\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
    (tmp_path / "a.vasp").write_text(poscar)
    (tmp_path / "targets.csv").write_text("file,Heat_Capacity [J/mol/K],mass,band_gap\na.vasp,7.5,3,1\n")
    heat = PropertyDefinition(key="cv", unit="J/mol/K", column="Heat_Capacity")
    source = open_source(str(tmp_path), properties=(*PROPERTIES, heat.as_property(), MASS.as_property()))
    (raw,) = source.records()
    assert source.parse(raw).targets.tolist()[9:] == [7.5, 3]


MATBENCH = {
    "log_k:log10 GPa:log10(K_VRH)": ("log10(K_VRH)", 2.0),
    "peak:1/cm:last phdos peak": ("last phdos peak", 812.5),
    "e_form:eV/atom": ("e_form", -1.5),
    '{"key":"e_form","unit":"eV","per":"cell"}': ("e_form", -4.5),
    "exfoliation_en:meV/atom": ("exfoliation_en", 63.5),
    "n": ("n", 1.75),
    '{"key":"is_metal","task":"binary"}': ("is_metal", True),
}


@pytest.mark.parametrize("text", MATBENCH)
def test_columns_of_matbench_are_properties_of_ones_own_as_they_are_written(text, tmp_path):
    column, value = MATBENCH[text]
    (definition,) = parse_property(text)
    rows = [[record(k)["atoms"], value] for k in range(3)]
    frame = {"index": [f"mb-{k}" for k in range(3)], "columns": ["structure", column], "data": rows}
    path = tmp_path / "matbench.json"
    path.write_text(json.dumps(frame))
    source = open_source(str(path), properties=(*PROPERTIES, definition.as_property()))
    found = [source.parse(raw).targets for raw in source.records()]
    assert [targets[9] for targets in found] == [float(value)] * 3
    bulk = KEYS.index("bulk_modulus")
    assert [targets[bulk] == 100 for targets in found] == [column == "log10(K_VRH)"] * 3


def test_the_sample_has_no_labels_of_them():
    source = open_source("sample", properties=(*PROPERTIES, HEAT.as_property()))
    labelled = source.parse(next(source.records()))
    assert labelled.targets.shape == (len(KEYS) + 1,)
    assert np.isnan(labelled.targets[-1])


def test_no_crystals_take_the_width_of_the_others(data):
    source = FileSource(data, properties=(*PROPERTIES, HEAT.as_property()))
    graphs = pack([source.parse(next(source.records()))], GraphSpec())
    assert PackedGraphs.concatenate([PackedGraphs.concatenate([]), graphs]).targets.shape == (1, 10)
