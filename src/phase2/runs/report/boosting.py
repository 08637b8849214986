"""The network beside gradient boosting: in which properties it loses, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.markdown import number


@dataclass(frozen=True, slots=True)
class Loss:
    """A property in which the network's validation error exceeds that of gradient boosting.

    Attributes:
        key: The property.
        unit: Its unit.
        network: Validation MAE of the network.
        boosting: Validation MAE of gradient boosting.
    """

    key: str
    unit: str
    network: float
    boosting: float

    def text(self) -> str:
        """Return the property with both errors and their difference."""
        more = f", {100 * (self.network / self.boosting - 1):.0f} % more" if self.boosting else ""
        return f"{self.key} ({number(self.network)} against {number(self.boosting)} {self.unit}".rstrip() + f"{more})"


def losses_to_boosting(val: Sequence[PropertyMetrics], baselines: Sequence[PropertyBaseline]) -> list[Loss]:
    """List the properties in which the network loses to gradient boosting on the validation part."""
    boosting = {baseline.key: baseline.boosting_val_mae for baseline in baselines}
    pairs = [(result, boosting.get(result.key)) for result in val]
    return [
        Loss(result.key, result.unit, result.mae, error)
        for result, error in pairs
        if result.mae is not None and error is not None and result.mae > error
    ]


def boosting_sentence(val: Sequence[PropertyMetrics], baselines: Sequence[PropertyBaseline]) -> str:
    """Say in which properties the network loses to gradient boosting; empty without that baseline."""
    errors = {baseline.key: baseline.boosting_val_mae for baseline in baselines}
    compared = [(r.mae, error) for r in val if r.mae is not None and (error := errors.get(r.key)) is not None]
    if not compared:
        return ""
    losses = losses_to_boosting(val, baselines)
    if not losses:
        how = "is no worse than" if any(mae == error for mae, error in compared) else "beats"
        return f"On the validation crystals the network {how} gradient boosting in every property that both predict."
    return f"On the validation crystals the network loses to gradient boosting in {_listed(losses)}."


def _listed(losses: Sequence[Loss]) -> str:
    *most, last = [loss.text() for loss in losses]
    return f"{', '.join(most)} and {last}" if most else last
