"""The JSON Schema of configuration files, as editors use it: it takes what the reader takes."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given

from phase2.config.resolve import resolve
from phase2.config.run_file.writer import write_run_file
from phase2.config.yaml_text import parse_yaml

from .strategies import requests

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "run-config.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_it_is_a_schema():
    VALIDATOR.check_schema(VALIDATOR.schema)


@given(requests())
def test_it_takes_every_file_that_is_written(request):
    content = parse_yaml(write_run_file(resolve(request)), "run.yaml")
    assert [error.message for error in VALIDATOR.iter_errors(content)] == []


@pytest.mark.parametrize(
    "text",
    [
        "training: {patiance: 3}",
        "training: {patience: 0}",
        "training: {patience: '3'}",
        "training: {balance: famos}",
        "data: jarvis-dft3d",
        "data: {fractions: [0.8, 0.2]}",
        "data: {graph: {cutoff: 21}}",
        "model: {width: 96}",
        "algorithm: cgcnn\nmodel: {channels: [8]}",
        "model: {kind: e3nn}",
        "properties: [bandgap]",
        "mode: max",
        "output: models",
        "level: huge",
        "competition: true\nlevel: max",
    ],
)
def test_it_refuses_what_the_reader_refuses(text):
    assert not VALIDATOR.is_valid(parse_yaml(text, "run.yaml"))


@pytest.mark.parametrize("text", ["algorithm: cgcnn\nmodel: {width: 96}", "training:\nlevel: max", "competition: true"])
def test_it_takes_what_people_write(text):
    assert VALIDATOR.is_valid(parse_yaml(text, "run.yaml"))
