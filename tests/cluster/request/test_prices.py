"""The price table of an installation."""

import pytest

from phase2.cluster.request.installation import Installation
from phase2.cluster.request.prices import Prices
from phase2.errors import RequestError


@pytest.mark.parametrize("text", ["", "{}", "# nothing yet"])
def test_without_a_table_there_are_no_prices(text):
    assert Installation.parse({"prices": text}).prices is None


def test_a_price_is_found_by_the_name_of_the_resource():
    text = "{currency: EUR, gpuHour: {nvidia.com/gpu: 2.5, nvidia.com/mig-1g.10gb: '0.4'}, coreHour: 1.0e-2}"
    expected = {"nvidia.com/gpu": 2.5, "nvidia.com/mig-1g.10gb": 0.4, "cpu": 0.01}
    assert Installation.parse({"prices": text}).prices == Prices(currency="EUR", hour=expected)


def test_it_is_read_as_it_is_mounted(tmp_path):
    (tmp_path / "prices").write_text("{currency: CHF, coreHour: 0}")
    assert Installation.read(tmp_path).prices == Prices(currency="CHF", hour={"cpu": 0.0})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1]", "It is a mapping of currency, gpuHour, coreHour"),
        ("{currency", "It is not YAML"),
        ("{currency: EUR, gpuHours: {}}", "Did you mean 'gpuHour'?"),
        ("{coreHour: 1}", "at currency.* '' is not 1 to 16 letters"),
        ("{currency: 1, coreHour: 1}", "at currency"),
        ("{currency: EUR, coreHour: -0.1}", "at coreHour.* '-0.1' is not a price"),
        ("{currency: EUR, coreHour: true}", "'True' is not a price"),
        ("{currency: EUR, coreHour: .nan}", "'nan' is not a price"),
        ("{currency: EUR, coreHour: .inf}", "'inf' is not a price"),
        ("{currency: EUR, gpuHour: 2}", "at gpuHour.* It is a mapping of names of GPUs"),
        ("{currency: EUR, gpuHour: {gpu: 2}}", "at gpuHour.* 'gpu' is not a resource of nodes"),
        ("{currency: EUR, gpuHour: {nvidia.com/gpu: dear}}", "at gpuHour.nvidia.com/gpu.* 'dear' is not a price"),
        ("{currency: EUR, gpuHour: {nvidia.com/gpu: }}", "'None' is not a price"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(text, expected):
    with pytest.raises(RequestError, match=expected):
        Installation.parse({"prices": text})
