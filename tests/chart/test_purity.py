"""A render depends on the chart, its values and the release alone: not on the cluster, the time or chance."""

import re

import pytest
from tests.chart.rendering import CHART, PROFILES, values_of

IMPURE = re.compile(
    r"\b(lookup|randAlphaNum|randAlpha|randAscii|randNumeric|randInt|randBytes|uuidv4|now|htpasswd|bcrypt|encryptAES"
    r"|genCA|genCAWithKey|genSelfSignedCert|genSelfSignedCertWithKey|genSignedCert|genSignedCertWithKey"
    r"|genPrivateKey|getHostByName|env|expandenv)\b"
)
TAG = re.compile(r"\{\{-?(?!\s*/\*)(.*?)-?\}\}", re.DOTALL)
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')


def render(helm, profile, *words):
    """Output of one rendering that nobody keeps for the next."""
    place = ["--namespace", "phase2", "--kube-version", PROFILES[profile], *values_of(profile)]
    return helm("template", "phase2", CHART, *place, *words).stdout


def test_rendering_twice_gives_the_same_bytes(helm, profile):
    assert render(helm, profile) == render(helm, profile)


@pytest.mark.parametrize("served", ["argoproj.io/v1alpha1/WorkflowTemplate", "kueue.x-k8s.io/v1beta2/LocalQueue"])
def test_what_the_cluster_serves_changes_nothing(helm, profile, served):
    assert render(helm, profile, "--api-versions", served) == render(helm, profile)


def test_an_upgrade_renders_what_an_installation_does(helm, profile):
    assert render(helm, profile, "--is-upgrade") == render(helm, profile)


def test_a_cluster_of_another_version_gets_the_same(helm):
    def of(version):
        return helm("template", "phase2", CHART, "--namespace", "phase2", "--kube-version", version).stdout

    assert of("1.31.0") == of("1.37.0")


def calls(text):
    """The impure functions that a template calls; what it quotes is no call."""
    return {name for tag in TAG.findall(text) for name in IMPURE.findall(QUOTED.sub("", tag)) if f".{name}" not in tag}


def test_no_template_calls_a_function_that_may_give_something_else_next_time():
    assert {path.name: found for path in (CHART / "templates").rglob("*.*") if (found := calls(path.read_text()))} == {}


def test_the_search_finds_such_a_call():
    assert calls('{{- $x := lookup "v1" "Secret" "a" "b" -}}') == {"lookup"}
    assert calls("{{ randAlphaNum 32 | b64enc }}") == {"randAlphaNum"}
    assert calls('{{ fail "no lookup here" }}{{/* lookup */}}{{ .Values.env }}') == set()


def test_capabilities_are_asked_for_refusals_and_notes_alone():
    """``helm template`` knows no cluster: what is rendered must not ask what the cluster has."""
    texts = {path.name: path.read_text() for path in (CHART / "templates").rglob("*.*")}
    assert {name for name, text in texts.items() if ".Capabilities" in text} == {"_helpers.tpl"}
    assert texts["_helpers.tpl"].count(".Capabilities") == 1
    assert {name for name, text in texts.items() if 'include "phase2.argoMissing"' in text} == {
        "checks.yaml", "NOTES.txt",
    }  # fmt: skip
