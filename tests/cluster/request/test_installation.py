"""What an installation gives to runs that ask for nothing."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from phase2.cluster.request.defaults import ALL, FIELDS, RunDefaults
from phase2.cluster.request.image import Image
from phase2.cluster.request.installation import Installation
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.levels import ALGORITHMS, MODES
from phase2.errors import RequestError, UnknownNameError

TABLE = {
    "all": {"all": {"cpu": 4, "memory": "16Gi", "gpus": 0}, "pro": {"gpus": 1, "nodeSelector": {"pool": "gpu"}}},
    "cgcnn": {"all": {"cpu": "2"}, "pro": {"gpus": 0, "tolerations": [{"operator": "Exists"}]}},
}
rows = st.fixed_dictionaries({}, optional={"cpu": st.sampled_from(["1", "2"]), "gpus": st.integers(0, 1)})
tables = st.dictionaries(
    st.sampled_from([ALL, *ALGORITHMS]), st.dictionaries(st.sampled_from([ALL, *MODES]), rows, max_size=4), max_size=3
)


@pytest.mark.parametrize(
    ("algorithm", "mode", "expected"),
    [
        ("e3nn", "lite", {"cpu": "4", "memory": "16Gi", "gpus": 0}),
        ("e3nn", "pro", {"cpu": "4", "memory": "16Gi", "gpus": 1, "node_selector": ("pool=gpu",)}),
        ("cgcnn", "smoke", {"cpu": "2", "memory": "16Gi", "gpus": 0}),
        (
            "cgcnn",
            "pro",
            {
                "cpu": "2",
                "memory": "16Gi",
                "gpus": 0,
                "node_selector": ("pool=gpu",),
                "toleration": ('{"operator": "Exists"}',),
            },
        ),
    ],
)
def test_of_each_field_the_most_specific_row_counts(algorithm, mode, expected):
    found = RunDefaults.parse(yaml.safe_dump(TABLE)).options(algorithm, mode)
    assert found == expected


@given(tables, st.sampled_from(ALGORITHMS), st.sampled_from(MODES))
def test_a_field_comes_from_a_row_that_names_the_run_or_all(table, algorithm, mode):
    found = RunDefaults.parse(yaml.safe_dump(table)).options(algorithm, mode)
    order = [(algorithm, mode), (algorithm, ALL), (ALL, mode), (ALL, ALL)]
    for name in ("cpu", "gpus"):
        given_ = [table[a][m][name] for a, m in order if name in table.get(a, {}).get(m, {})]
        assert found.get(name) == (given_[0] if given_ else None)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("[1]", "it is a mapping"),
        ("{e3nn: {pro: 3}}", "at e3nn.pro"),
        ("{e3nn: {prp: {}}}", "Did you mean 'pro'?"),
        ("{e3nm: {}}", "Did you mean 'e3nn'?"),
        ("{all: {all: {gpu: 1}}}", "Did you mean 'gpus'?"),
        ("{all: {all: {gpus: one}}}", "'one' is not a whole number"),
        ("{all: {all: {maxNode: 2}}}", "Did you mean 'maxNodes'?"),
        ("{all: {all: {maxGpus: many}}}", "'many' is not a whole number"),
        ("{all: {all: {gpus: true}}}", "'True' is not a whole number"),
        ("{all: {all: {nodeSelector: gpu}}}", "at all.all.nodeSelector.* 'gpu' is not a mapping"),
        ("{all: {all: {tolerations: {key: a}}}}", "is not a list"),
        ("{all: {all", "It is not YAML"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table, expected):
    with pytest.raises(RequestError, match=expected) as refused:
        Installation.parse({"defaults": table})
    assert isinstance(refused.value, UnknownNameError) or "ConfigMap phase2-runs" in str(refused.value)


def test_what_is_empty_is_not_given():
    empty = dict.fromkeys(FIELDS, "")
    assert RunDefaults.parse(yaml.safe_dump({"all": {"all": empty}, "e3nn": None})).options("e3nn", "std") == {}
    installation = Installation.parse({"image": "", "cache": "", "max-cpu-hours": "0", "another": "key"})
    assert installation == Installation()


@pytest.mark.parametrize("hours", ["many", "-1", "inf", "nan"])
def test_a_limit_that_is_no_number_is_refused(hours):
    with pytest.raises(RequestError, match="max-cpu-hours"):
        Installation.parse({"max-cpu-hours": hours})


def test_a_large_number_is_written_as_kubernetes_writes_it():
    assert RunDefaults.parse("{all: {all: {memory: 1e+10}}}").options("e3nn", "std")["memory"] in {
        "10000000000",
        "1e+10",
    }


def test_a_mounted_config_map_is_a_file_for_each_key(tmp_path):
    assert Installation.read(tmp_path / "nothing") == Installation()
    (tmp_path / "image").write_text("phase2:1")
    (tmp_path / "max-cpu-hours").write_text("12")
    (tmp_path / "defaults").write_text(yaml.safe_dump(TABLE))
    options = Installation.read(tmp_path).options("e3nn", "pro")
    assert (options.image, options.gpus, options.max_hours) == ("phase2:1", 1, 12.0)


LIMITED = RunDefaults.parse(
    "{all: {all: {maxNodes: 2, maxGpus: 1}, pro: {maxNodes: 8}}, cgcnn: {smoke: {maxNodes: 1}}}"
)


@pytest.mark.parametrize(
    ("algorithm", "mode", "asked", "why"),
    [
        ("e3nn", "std", {"nodes": 2}, None),
        ("e3nn", "std", {"nodes": 3}, "to 2 nodes.*maxNodes"),
        ("e3nn", "std", {"nodes": 2, "gpus": 1}, "--nodes 2 --gpus 1 is more.*to 1 GPUs.*maxGpus"),
        ("e3nn", "pro", {"nodes": 8}, None),
        ("cgcnn", "smoke", {"nodes": 2}, "to 1 nodes"),
        ("cgcnn", "smoke", {"gpus": 1}, None),
    ],
)
def test_a_table_limits_what_a_run_may_ask_for(algorithm, mode, asked, why):
    asked = ClusterRequest(image=Image.parse("phase2:1"), **asked)
    limits = LIMITED.limits(algorithm, mode)
    if why is None:
        assert limits.check(asked) is asked
    else:
        with pytest.raises(RequestError, match=why):
            limits.check(asked)
    assert LIMITED.options(algorithm, mode) == {}
