"""Quantities of CPU and memory, parsed as Kubernetes parses them."""

from decimal import localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity as official

from phase2.cluster.request.quantities import format_bytes, parse_cpu, parse_memory, parse_quantity
from phase2.errors import RequestError

UNITS = ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]


@given(st.decimals(0, 10**9, places=3), st.sampled_from(UNITS))
def test_a_quantity_is_read_as_the_official_client_reads_it(number, unit):
    text = f"{number}{unit}"
    with localcontext(prec=60):  # the official client rounds where the context does
        assert parse_quantity(text).value == Fraction(official(text))


@given(st.text(max_size=8))
def test_every_accepted_text_is_a_quantity_to_the_official_client(text):
    found = parse_quantity(text)
    if found is not None:
        with localcontext(prec=60):
            assert found.value == Fraction(official(found.text))


@pytest.mark.parametrize("text", ["", "cpu", "-1", "0", "0.0001", "1.5.0", "1e3", "9999", "2 cores", "½"])
def test_an_invalid_number_of_cores_is_refused(text):
    with pytest.raises(RequestError, match="is not a number of cores"):
        parse_cpu(text)


@pytest.mark.parametrize("text", ["", "8 GB", "8GB", "8gi", "-8Gi", "0", "0.5m", "lots"])
def test_an_invalid_amount_of_memory_is_refused(text):
    with pytest.raises(RequestError, match="is not an amount of memory"):
        parse_memory(text)


def test_a_missing_unit_is_refused():
    with pytest.raises(RequestError, match=r"--memory 8 is 8 bytes.*Did you mean 8Gi\?"):
        parse_memory("8")


def test_an_implausible_unit_is_refused():
    with pytest.raises(RequestError, match="no machine has a pebibyte"):
        parse_memory("8Ei")


def test_memory_is_formatted_with_a_unit():
    assert format_bytes(parse_memory("1536Mi").value) == "1.5 GiB"
