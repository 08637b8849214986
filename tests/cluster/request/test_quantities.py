"""Amounts of CPU and memory, as people write them and as Kubernetes reads them."""

from decimal import localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity as official

from phase2.cluster.request.quantities import human_bytes, parse_cpu, parse_memory, parse_quantity
from phase2.errors import RequestError

UNITS = ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]


@given(st.decimals(0, 10**9, places=3), st.sampled_from(UNITS))
def test_a_quantity_is_read_as_the_official_client_reads_it(number, unit):
    text = f"{number}{unit}"
    with localcontext(prec=60):  # the official client rounds where the context does
        assert parse_quantity(text).value == Fraction(official(text))


@given(st.text(max_size=8))
def test_whatever_is_read_is_a_quantity_to_the_official_client_too(text):
    found = parse_quantity(text)
    if found is not None:
        with localcontext(prec=60):
            assert found.value == Fraction(official(found.text))


@pytest.mark.parametrize("text", ["", "cpu", "-1", "0", "0.0001", "1.5.0", "1e3", "9999", "2 cores", "½"])
def test_no_number_of_cores(text):
    with pytest.raises(RequestError, match="is no number of cores"):
        parse_cpu(text)


@pytest.mark.parametrize("text", ["", "8 GB", "8GB", "8gi", "-8Gi", "0", "0.5m", "lots"])
def test_no_amount_of_memory(text):
    with pytest.raises(RequestError, match="is no amount of memory"):
        parse_memory(text)


def test_a_forgotten_unit_is_noticed():
    with pytest.raises(RequestError, match=r"--memory 8 is 8 bytes.*Did you mean 8Gi\?"):
        parse_memory("8")


def test_a_mistaken_unit_is_noticed():
    with pytest.raises(RequestError, match="no machine has a pebibyte"):
        parse_memory("8Ei")


def test_memory_is_told_in_units_of_people():
    assert human_bytes(parse_memory("1536Mi").value) == "1.5 GiB"
