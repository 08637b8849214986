"""What an hour of a GPU and of a core costs in an installation. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phase2.cluster.request.names import check_resource_name
from phase2.errors import Phase2Error, RequestError, UnknownNameError

CORES = "cpu"
"""Resource of the cores of nodes."""
CURRENCY, GPU_HOUR, CORE_HOUR = "currency", "gpuHour", "coreHour"
"""Fields of the price table."""

_FIELDS = (CURRENCY, GPU_HOUR, CORE_HOUR)
_CURRENCY = re.compile(r"[A-Za-z]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of an hour.

    Attributes:
        currency: What the prices are in, such as ``EUR``.
        hour: Price of an hour by resource of nodes: of one GPU of this name, or of one core (``cpu``).
    """

    currency: str
    hour: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Prices | None:
        """Parse the YAML of the table; None where it is empty.

        Raises:
            RequestError: It is no such table, a price is no number or negative, or a resource has no such name.
            UnknownNameError: There is no such field.

        Example:
            >>> Prices.parse("{currency: EUR, gpuHour: {nvidia.com/gpu: 2.5}, coreHour: 0.04}").hour
            {'nvidia.com/gpu': 2.5, 'cpu': 0.04}
        """
        import yaml

        try:
            table = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise _invalid("", f"It is not YAML: {' '.join(str(error).split())}") from error
        if not table:
            return None
        if not isinstance(table, dict):
            raise _invalid("", f"It is a mapping of {', '.join(_FIELDS)}.")
        for name in table:
            if name not in _FIELDS:
                raise UnknownNameError.of("field of the prices", str(name), _FIELDS)
        currency = table.get(CURRENCY)
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            raise _invalid(CURRENCY, f"'{currency or ''}' is not 1 to 16 letters, such as EUR.")
        hour = {_resource(name): _price(value, f"{GPU_HOUR}.{name}") for name, value in _gpus(table).items()}
        if (cores := table.get(CORE_HOUR)) not in (None, ""):
            hour[CORES] = _price(cores, CORE_HOUR)
        return cls(currency=currency, hour=hour)


def _gpus(table: Mapping[str, Any]) -> dict[str, Any]:
    gpus = table.get(GPU_HOUR) or {}
    if not isinstance(gpus, dict):
        raise _invalid(GPU_HOUR, "It is a mapping of names of GPUs in the cluster, such as nvidia.com/gpu, to prices.")
    return gpus


def _resource(name: Any) -> str:
    try:
        return check_resource_name(str(name), GPU_HOUR)
    except RequestError as error:
        why = f"'{name}' is not a resource of nodes, vendor/name, such as nvidia.com/gpu."
        raise _invalid(GPU_HOUR, why) from error


def _price(value: Any, where: str) -> float:
    try:
        price = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        price = math.nan
    if not 0 <= price < math.inf:
        raise _invalid(where, f"'{value}' is not a price: a number of at least 0.")
    return price


def _invalid(where: str, why: str) -> Phase2Error:
    return RequestError(
        f"The prices of this namespace cannot be used{f', at {where}' if where else ''}.",
        why=why,
        fix="Have the administrator correct 'prices' in the ConfigMap phase2-runs (runs.prices of the chart).",
    )
