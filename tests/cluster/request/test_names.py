"""Names of Jobs, labels, node selectors, tolerations and images."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.conftest import label_keys, label_values, run_ids
from tests.cluster.support.image_names import BY_DIGEST, DIGEST

from phase2.cluster.request.image import Image
from phase2.cluster.request.names import (
    Toleration,
    check_label_name,
    check_subdomain,
    job_name,
    parse_node_selector,
    parse_toleration,
)
from phase2.errors import RequestError, UnknownNameError

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@given(run_ids)
def test_every_run_id_has_a_job_name(run_id):
    assert DNS_LABEL.fullmatch(job_name(run_id))


@given(run_ids, run_ids)
def test_different_runs_have_different_job_names(one, other):
    assert (job_name(one) == job_name(other)) == (one == other)


@pytest.mark.parametrize(("one", "other"), [("abc", "ABC"), ("a.b", "a-b"), ("x" * 62 + "1", "x" * 62 + "2")])
def test_similar_run_ids_have_different_job_names(one, other):
    assert job_name(one) != job_name(other)


def test_a_simple_id_is_part_of_its_job_name():
    assert job_name("0f3a9c2e") == "phase2-0f3a9c2e"


@given(label_keys, label_values)
def test_a_node_selector_is_a_label(key, value):
    assert parse_node_selector(f"{key}={value}") == (key, value)


@pytest.mark.parametrize("text", ["", "gpu", "=a100", "a b=c", "gpu=a/b", "a/b/c=d", "-gpu=a", "gpu=" + "x" * 64])
def test_an_invalid_node_selector_is_refused(text):
    with pytest.raises(RequestError, match="--node-selector"):
        parse_node_selector(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpu", Toleration("gpu", None, None)),
        ("gpu:NoSchedule", Toleration("gpu", None, "NoSchedule")),
        ("nvidia.com/gpu=present", Toleration("nvidia.com/gpu", "present", None)),
        ("nvidia.com/gpu=present:NoExecute", Toleration("nvidia.com/gpu", "present", "NoExecute")),
    ],
)
def test_a_toleration_is_parsed(text, expected):
    assert parse_toleration(text) == expected


def test_an_unknown_effect_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownNameError, match="Did you mean 'NoSchedule'"):
        parse_toleration("gpu=a:NoShedule")


@pytest.mark.parametrize("name", ["", "Phase2", "a.b", "a_b", "-a", "a-", "x" * 64])
def test_an_invalid_namespace_is_refused(name):
    with pytest.raises(RequestError, match="--namespace"):
        check_label_name(name, "--namespace")


@pytest.mark.parametrize("name", ["", "Claim", "a..b", ".a", "a_b", "x" * 254])
def test_an_invalid_claim_is_refused(name):
    with pytest.raises(RequestError, match="--cache"):
        check_subdomain(name, "--cache")


@pytest.mark.parametrize(
    "reference",
    ["phase2", "phase2:1.0", "localhost:5000/phase2", "ghcr.io/a/b-c/phase2:v1", BY_DIGEST, f"a:b@{DIGEST}"],
)
def test_an_image_reference_is_parsed(reference):
    image = Image.parse(reference)
    assert image.reference == reference
    assert image.digest == (DIGEST if "@" in reference else None)


@pytest.mark.parametrize(
    "reference", ["", "Phase2", "a b", "https://ghcr.io/phase2", "phase2@sha256:12", "phase2:", "phase2:a b", "/phase2"]
)
def test_an_invalid_image_reference_is_refused(reference):
    with pytest.raises(RequestError, match="is not a valid image reference"):
        Image.parse(reference)


@given(st.text(max_size=20))
def test_an_image_reference_is_safe_in_yaml_and_shells(text):
    try:
        image = Image.parse(text)
    except RequestError:
        return
    assert re.fullmatch(r"[\w./:@-]+", image.reference, re.ASCII)
