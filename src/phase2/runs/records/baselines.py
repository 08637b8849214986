"""Errors of the baselines of a run on the same split: the median of the training labels, and gradient boosting."""

from __future__ import annotations

from phase2.storage.records import Counted, Record


class PropertyBaseline(Record):
    """Errors of the baselines for one property, in physical units; null where a part has no label.

    Attributes:
        key: The property.
        unit: Unit of the errors; empty for a number without one.
        train_labels: Training labels that gradient boosting was fitted to.
        median_val_mae: Validation MAE of predicting the median of the training labels.
        median_test_mae: Its test MAE.
        boosting_val_mae: Validation MAE of gradient boosting on composition, lattice and coordination.
        boosting_test_mae: Its test MAE.
    """

    key: str
    unit: str
    train_labels: Counted
    median_val_mae: float | None
    median_test_mae: float | None
    boosting_val_mae: float | None
    boosting_test_mae: float | None
