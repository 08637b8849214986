"""What runs cost: hours of GPUs or cores, and money where the installation has prices. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from phase2.cluster.estimate.work import Estimate
from phase2.cluster.request.prices import CORES, Prices
from phase2.cluster.request.resources import GPU_RESOURCE, ClusterRequest

_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What a run keeps from others while it runs, as far as it is counted: its GPUs, or without one its cores.

    Attributes:
        resource: Name of the GPUs in the cluster, or ``cpu``.
        amount: GPUs or cores, of all nodes together.
        processes: Processes that train the run together.
        deadline_seconds: Time after which the run is stopped; None is never.
        is_shared: Whether other runs of the same request have the GPU at the same time, and one deadline together.
    """

    resource: str
    amount: float
    processes: int = 1
    deadline_seconds: int | None = None
    is_shared: bool = False

    @classmethod
    def of(cls, cluster: ClusterRequest) -> Reservation:
        """Return the reservation of a run on a cluster."""
        each = cluster.gpus or float(cluster.cpu.value)
        return cls(
            resource=cluster.gpu_resource if cluster.gpus else CORES,
            amount=cluster.nodes * each,
            processes=cluster.processes,
            deadline_seconds=cluster.deadline_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Cost of one run or of several together.

    Attributes:
        hours: Hours by resource: of GPUs by their name in the cluster, of cores as ``cpu``; empty where a run's hours
            are not known.
        runs: Number of runs.
        by_deadline: Runs whose time is not known and which are counted up to their deadline.
        unknown: Runs whose time is not known and which have no deadline.
        is_bound: Whether the runs may cost less than this.
        money: What the hours cost; None without prices, or where one is missing.
        currency: What the money is in; None without prices.
        unpriced: Resources that have no price, where others have.
    """

    hours: Mapping[str, float]
    runs: int
    by_deadline: int = 0
    unknown: int = 0
    is_bound: bool = False
    money: float | None = None
    currency: str | None = None
    unpriced: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return the cost as JSON; what is not known is null."""
        known = not self.unknown
        gpus = {name: hours for name, hours in self.hours.items() if name != CORES}
        return {
            "gpu_hours": gpus if known else None,
            "core_hours": self.hours.get(CORES, 0.0) if known else None,
            "is_upper_bound": self.is_bound if known else None,
            "runs_by_deadline": self.by_deadline,
            "runs_not_known": self.unknown,
            "money": self.money,
            "currency": self.currency,
        }


def cost_of(runs: Iterable[tuple[Estimate, Reservation]], prices: Prices | None = None) -> Cost:
    """Return what runs cost together.

    A run whose time is not known counts up to its deadline, which is an upper bound. The time of several processes
    is that of one, unless runs of as many were measured, and so an upper bound, too.

    Args:
        runs: The estimate of each run, with what it reserves.
        prices: Prices of the installation; None is none.
    """
    hours: dict[str, float] = {}
    count = by_deadline = unknown = 0
    is_bound = False
    for work, reserved in runs:
        count += 1
        seconds = work.seconds if work.seconds is not None else reserved.deadline_seconds
        if seconds is None:
            unknown += 1
            continue
        by_deadline += work.seconds is None
        of_one = reserved.processes > 1 and not work.measured
        is_bound = is_bound or work.seconds is None or work.may_end_early or of_one or reserved.is_shared
        total = hours.get(reserved.resource, 0.0) + seconds / _HOUR * reserved.amount
        if reserved.is_shared and reserved.deadline_seconds is not None:
            total = min(total, reserved.deadline_seconds / _HOUR * reserved.amount)
        hours[reserved.resource] = total
    if unknown:
        hours = {}
    unpriced = tuple(name for name in hours if prices is not None and name not in prices.hour)
    is_priced = prices is not None and not unpriced and not unknown
    return Cost(
        hours=hours,
        runs=count,
        by_deadline=by_deadline,
        unknown=unknown,
        is_bound=is_bound,
        money=sum(prices.hour[name] * amount for name, amount in hours.items()) if prices and is_priced else None,
        currency=None if prices is None else prices.currency,
        unpriced=unpriced,
    )


def describe_cost(cost: Cost) -> str:
    """Return a cost in one line.

    Example:
        >>> describe_cost(Cost(hours={"nvidia.com/gpu": 12.5}, runs=1, money=25.0, currency="EUR"))
        'about 12.5 GPU hours, 25.00 EUR'
        >>> describe_cost(Cost(hours={"nvidia.com/gpu": 336.0}, runs=2, by_deadline=2, is_bound=True))
        'at most 336 GPU hours, an upper bound by the deadline, since the time of 2 runs is not known'
    """
    if cost.unknown:
        return f"not known: the time of {_runs(cost.unknown, cost.runs)} is not known, and no deadline ends it"
    about = "at most" if cost.by_deadline else "at most about" if cost.is_bound else "about"
    line = f"{about} {' and '.join(_hours(name, hours) for name, hours in cost.hours.items())}"
    if cost.money is not None:
        line += f", {_amount(cost.money)} {cost.currency}"
    elif cost.unpriced:
        line += f"; the prices of this namespace have none of {', '.join(cost.unpriced)}"
    if cost.by_deadline:
        counted = _runs(cost.by_deadline, cost.runs)
        line += f", an upper bound by the deadline, since the time of {counted} is not known"
    return line


def _runs(some: int, of: int) -> str:
    if of == 1:
        return "the run"
    return f"{some} runs" if some == of else f"{some} of {of} runs"


def _hours(resource: str, hours: float) -> str:
    number = f"{hours:,.0f}" if hours >= 100 else f"{hours:.3g}"
    if resource == CORES:
        return f"{number} core hours"
    return f"{number} GPU hours" if resource == GPU_RESOURCE else f"{number} hours of {resource}"


def _amount(money: float) -> str:
    return f"{money:,.2f}" if money >= 0.01 or not money else "less than 0.01"
