"""Fields of a request, their options, and the settings that each stands for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Balance = Literal["equal", "uncertainty", "famo"]
Precision = Literal["fp32", "bf16"]
Freeze = Literal["backbone", "none"]

BALANCES: tuple[Balance, ...] = get_args(Balance)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
FREEZES: tuple[Freeze, ...] = get_args(Freeze)

FIELD_PATHS: Mapping[str, str] = MappingProxyType(
    {"seed": "seed", "properties": "properties", "data.source": "data", "fine_tuning.source": "from_"}
)
"""Fields of a request by the path of their setting; a fixed level accepts them."""

FLAG_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "epochs": "training.epochs",
        "lr": "training.lr",
        "batch_size": "training.batch_size",
        "preset": "model.preset",
        "max_samples": "data.max_samples",
        "split": "data.split",
        "drop_twins": "data.drop_twins",
        "cutoff": "data.graph.cutoff",
        "patience": "training.patience",
        "balance": "training.balance",
        "precision": "training.precision",
        "backbone": "foundation.name",
        "freeze": "fine_tuning.freeze",
        "new_heads": "fine_tuning.new_heads",
    }
)
"""Paths of the other settings that have an option, by its field; a fixed level refuses them."""

BACKBONE = FLAG_PATHS["backbone"]
"""Path of the setting that names a pretrained potential."""


def flag(name: str) -> str:
    """Return the option of a field: ``batch_size`` is ``--batch-size``, and ``from_``, a keyword else, ``--from``."""
    if name == "own_properties":
        return "--property"  # one each
    return "--" + name.rstrip("_").replace("_", "-")
