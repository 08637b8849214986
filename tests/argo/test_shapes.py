"""The shapes of open parameters: what people write passes, what would change the pod does not."""

import re

import pytest
import yaml

from .manifests import TEMPLATES, of_kind, parameters_of

REQUIRED = {("phase2-predict", "structures"), ("phase2-ensemble", "structures")}


def shapes_of(name):
    variables = of_kind("ValidatingAdmissionPolicy")[name]["spec"]["variables"]
    return yaml.safe_load(next(one["expression"] for one in variables if one["name"] == "shapes"))


SHAPES = [(name, parameter, shape) for name in TEMPLATES for parameter, shape in shapes_of(name).items()]


def matches(shape, value):
    # RE2's $ is the end of the text, Python's also stands before a last line break.
    python = shape.removesuffix("$").replace("[[]", r"\[")  # Python warns of sets in sets
    return re.search(python + r"\Z", value) is not None


@pytest.mark.parametrize(("name", "parameter", "shape"), SHAPES)
def test_defaults_pass_and_line_breaks_do_not(name, parameter, shape):
    default = parameters_of(TEMPLATES[name])[parameter]
    assert matches(shape, default) is ((name, parameter) not in REQUIRED)
    assert shape.startswith("^")
    assert shape.endswith("$")
    for harm in (
        "\n",
        "\r\n",
        "\nhostNetwork: true",
        "{{workflow.name}}",
        '"}, hostNetwork: true, x: {"',
        "$(id)",
        "`id`",
    ):
        assert not matches(shape, default + harm), harm


ACCEPTED = {
    "epochs": ["1", "500"],
    "lr": ["1e-3", "0.001", "5e-4", "1", ".5"],
    "seed": ["0", "4294967295"],
    "cpu": ["", "500m", "16", "1.5"],
    "gpu-resource": ["", "nvidia.com/gpu", "nvidia.com/mig-1g.10gb"],
    "ephemeral-storage": ["", "20Gi"],
    "max-hours": ["", "0", "72", "1.5"],
    "memory": ["512Mi", "64Gi", "1.5G"],
    "retry-memory": ["", "64Gi"],
    "gpus": ["", "0", "1", "8", "16"],
    "run-name": ["mine", "Run_1.b"],
    "resume": ["4f1c2a", "fam/run_1"],
    "image": ["phase2:1.2", "registry.example.org:5000/a/phase2:1@sha256:" + "0" * 64],
    "priority": ["phase2-training"],
    "store": ["s3://bucket", "s3://bucket/pre/fix"],
    "data": ["jarvis-dft3d", "/work/cache/mine.json", "mine", "s3://bucket/my/folder", "sha256:" + "0" * 64],
    "queue": ["user-queue"],
    "node-selector": ['{"gpu": "a100"}'],
    "tolerations": ["[]", '[{"key": "gpu", "operator": "Exists"}]', '[{"key": "a"}, {"key": "b"}]'],
    "cutoff": ["6", "6.5", "5.123456789012345"],
    "patience": ["20"],
    "set": [
        "training.lr=1e-05",
        "data.fractions=[0.7,0.2,0.1];training.patience=null",
        "seed=3; data.graph.cutoff=6.5",
        "data.source=/work/cache/mine.json",
    ],
}
REFUSED = {
    "gpu-resource": ["gpu", "nvidia.com/", "a b/c"], "ephemeral-storage": ["20", "lots"], "max-hours": ["-1", "many"],
    "epochs": ["-1", "1.5", "ten"], "lr": ["-1", "fast", "1e"], "seed": ["-1", "1.0"], "cpu": ["two", "1,5"],
    "memory": ["8", "8gb", "lots"], "retry-memory": ["8", '1Gi"'],
    "gpus": ["-1", "17", "08", "many"], "run-name": ["-x", "a b", "x" * 64],
    "resume": ["a b"],
    "image": ["", "-x", "a b", "x@sha256:12"], "priority": ["Upper"], "queue": ["Upper", "-x"],
    "data": [
        "a b", "/proc/self/environ", "/work/cache/../x", "../x", "s3://bucket/../x", "file:///etc", "s3://k:s@bucket/x",
        "sha256:x", "sha256:" + "0" * 65,
    ],
    "store": ["file:///tmp", "s3://key:secret@bucket", "https://bucket"], "node-selector": ["gpu=a100", "[]"],
    "tolerations": ["{}", "[{{x}}]", '[{"a": {"b": "c"}}]', "[{}{}]"],
    "cutoff": ["-1", "6 A"], "patience": ["-1", "none"],
    "set": [
        "training.lr", "=3", "Training.lr=3", "a=b=c", 'a="b"', "a='b'", "a={b: 1}",
        "a=1;", ";a=1", "a=1\nb=2", "a=$(id)", "a=*x", "a=&x 1", "a=!x 1",
        "data.source=/proc/self", "a=/work/cache/../x",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "value", "passes"),
    [(name, value, True) for name, values in ACCEPTED.items() for value in values]
    + [(name, value, False) for name, values in REFUSED.items() for value in values],
)
def test_shapes_of_a_training(parameter, value, passes):
    assert matches(shapes_of("phase2-train")[parameter], value) is passes
