"""Definitions of a person's own properties: what is read, what is refused, and how they travel with a request."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.config.combine import combine
from phase2.config.data.own_properties import FORBIDDEN, PropertyDefinition
from phase2.config.data.property_texts import parse_property, read_properties_file
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.reproduce import request_of
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.run_file.reader import RunFile
from phase2.config.run_file.writer import write_run_file
from phase2.config.schema import RunConfig
from phase2.errors import RequestError, UnknownNameError
from phase2.properties import KEYS

HEAT = PropertyDefinition(key="cv", unit="J/mol/K", column="heat_capacity", transform="log1p", lower=0)
METAL = PropertyDefinition(key="metal", task="binary")

_TEXT = st.text(st.characters(categories=("L", "N"), include_characters="/^.-()%, "), max_size=20).map(str.strip)


@given(
    st.builds(
        PropertyDefinition,
        key=st.from_regex(r"own_[a-z0-9_]{0,30}", fullmatch=True),
        title=_TEXT,
        unit=_TEXT,
        column=_TEXT,
        transform=st.sampled_from(["none", "log1p", "asinh"]),
        lower=st.none() | st.floats(-1e6, 0),
        upper=st.none() | st.floats(1, 1e6),
    )
)
def test_a_definition_survives_command_line_and_configuration(definition):
    assert parse_property(definition.text) == (definition,)
    request = RunRequest(own_properties=(definition,), level="smoke")
    assert RunRequest.from_command(request.command()) == request
    config = resolve(request).config
    assert RunConfig.model_validate_json(config.model_dump_json(), strict=True) == config
    assert resolve(request_of(config)).config == config


def test_short_and_long_form_define_the_same():
    (short,) = parse_property("cv:J/mol/K:heat_capacity")
    assert short == PropertyDefinition(key="cv", unit="J/mol/K", column="heat_capacity")
    assert parse_property("{key: cv, unit: J/mol/K, column: heat_capacity}") == (short,)
    prop = parse_property("heat_of_melting")[0].as_property()
    assert (prop.column, prop.title, prop.unit) == ("heat_of_melting", "Heat of melting", "")


def test_a_file_holds_a_list(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "- {key: cv, unit: J/mol/K, column: heat_capacity, transform: log1p, lower: 0}\n- key: metal\n  task: binary\n"
    )
    assert read_properties_file(path) == (HEAT, METAL)
    path.write_text("cv")
    with pytest.raises(RequestError, match="holds no definitions"):
        read_properties_file(path)
    with pytest.raises(RequestError, match="No such file"):
        read_properties_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{key: cv, transform: log1}", UnknownNameError, "Did you mean 'log1p'"),
        ("{key: cv, task: binry}", UnknownNameError, "Did you mean 'binary'"),
        ("{key: cv, colum: heat}", UnknownNameError, "Did you mean 'column'"),
        ("{key: cv, per: cells}", UnknownNameError, "Did you mean 'cell'"),
        ("Heat capacity", RequestError, "Write key: heat_capacity"),
        ("2d:eV", RequestError, "Write key: p_2d"),
        ("band_gap:eV", RequestError, "one of the nine"),
        ("a:b:c:d", RequestError, "no KEY:UNIT:COLUMN"),
        ("[{key: cv}, {key: cv}]", RequestError, "defined twice"),
        ("{key: cv, transform: logit, lower: 0}", RequestError, "needs both bounds"),
        ("{key: cv, lower: 2, upper: 1}", RequestError, "Lower is not below upper"),
        ("{key: cv, per: cell, upper: 3}", RequestError, "no other bound than lower: 0"),
        ("{key: cv, task: binary, unit: eV}", RequestError, "A binary property has no unit"),
        ("{unit: eV}", RequestError, "key"),
        ("{key: cv, title: 'a${b}'}", RequestError, "is not allowed"),
        ("{key: cv, lower: true}", RequestError, "A bound is a number"),
        ("id::heat", RequestError, "'id' cannot be the key"),
        ("{key: warning, column: alarm}", RequestError, "Choose another key, such as my_warning"),
        ("{key: cv_predicted}", RequestError, "'cv_predicted' cannot be the key"),
        ("[{key: cv_low}, {key: cv}]", RequestError, "Choose another key, such as cv_value"),
        ("band_gap_high:eV", RequestError, "'band_gap_high' cannot be the key"),
        ("{key: e, unit: eV/atom, per: cell}", RequestError, "with the unit eV/atom and per: cell"),
        ("{key: e, unit: meV/cell, per: atom}", RequestError, "with the unit meV/cell and per: atom"),
        ("{key: e, unit: eV/cell}", RequestError, "Write per: cell"),
        ("{key: e, unit: eV/f.u., per: volume}", RequestError, "with the unit eV/f.u. and per: volume"),
    ],
)
def test_what_is_refused(text, error, message):
    with pytest.raises(error, match=re.escape(message)):
        parse_property(text)


def test_units_and_names_that_agree_are_accepted():
    for text in ("{key: e, unit: eV/atom, per: atom}", "{key: e, unit: eV/cell, per: cell}", "m:uB/f.u.", "t_high:K"):
        assert len(parse_property(text)) == 1


def test_own_properties_are_trained_alone_unless_others_are_named():
    hidden = PropertyDefinition(key="hidden", group="all")

    def trained(**words):
        return resolve(RunRequest(own_properties=(METAL, HEAT, hidden), **words)).config.properties

    assert trained() == ("metal", "cv")
    assert trained(properties=("cv", "band_gap", "hidden")) == ("band_gap", "cv", "hidden")
    assert trained(all_properties=True) == (*KEYS, "metal", "cv", "hidden")
    with pytest.raises(UnknownNameError, match="Did you mean 'metal'"):
        trained(properties=("metall",))
    with pytest.raises(UnknownNameError, match="Unknown property 'metal'"):
        RunRequest(properties=("metal",))


def test_a_fixed_level_takes_them():
    assert resolve(RunRequest(level="lite", own_properties=(HEAT,))).config.properties == ("cv",)


def test_a_configuration_without_them_is_what_it_was():
    config = resolve(RunRequest()).config
    assert "own_properties" not in config.model_dump_json()
    assert RunConfig.model_validate_json(config.model_dump_json(), strict=True) == config


def test_a_run_file_holds_them():
    resolved = resolve(RunRequest(own_properties=(HEAT, METAL), properties=("cv", "ehull")))
    file = RunFile.parse(write_run_file(resolved), "run.yaml")
    assert resolve(combine({}, file=file)).config == resolved.config
    plain = RunFile.parse("own_properties: [{key: cv, unit: K}]\nlevel: smoke", "run.yaml")
    assert resolve(combine({}, file=plain)).config.properties == ("cv",)


def test_all_runs_of_a_sweep_have_them():
    sweep = SweepRequest(own_properties=(HEAT, METAL), lists={"seed": "1,2"})
    assert [run.request.own_properties for run in sweep.runs("try")] == [(HEAT, METAL)] * 2
    assert sweep.options()["property"] == f"{HEAT.text};{METAL.text}"
    assert sweep.command("try")[-4:] == ["--property", HEAT.text, "--property", METAL.text]


def test_the_text_of_a_definition_is_json_without_what_means_something_to_others():
    text = PropertyDefinition(key="x", title="Größe, µ", unit="µ/mol%", lower=-1e-7).text
    assert json.loads(text)["title"] == "Größe, µ"
    assert not set(text) & (set(FORBIDDEN) - set('{}"'))
