"""The result of judging a model on data: what ``phase2 evaluate --format json`` prints."""

from __future__ import annotations

from pydantic import Field

from phase2.evaluation.bootstrap import Errors, Estimate
from phase2.evaluation.probabilities import BinaryErrors
from phase2.storage.records import Counted, Record

VERSION = 1


def _is_none(value: object) -> bool:
    return value is None


class Number(Record):
    """A number with its interval; null where there is none.

    Attributes:
        value: The number.
        low: Lower end.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, estimate: Estimate) -> Number:
        """Record an estimate."""
        return cls(value=estimate.value, low=estimate.low, high=estimate.high)


class EvaluatedGroup(Record):
    """Errors of one property over some crystals, in its unit.

    Of a binary property, whose predictions are probabilities, the numbers from ``mae`` to ``boosting_mae`` are null and
    those after them are there; of any other property they are left out.

    Attributes:
        property: The property.
        unit: Its unit; empty for a number without one.
        kind: What crystals are grouped by: ``all``, ``element``, ``system``, ``spacegroup``, ``size`` or ``training``.
        group: What those of the group have in common; ``all`` for all.
        labels: Labels compared.
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        r2: Share of the labels' variance that is explained.
        median_mae: Error of predicting the median of the model's training labels for every crystal.
        boosting_mae: Error of gradient boosting on composition, lattice and coordination; null where it was neither
            recorded nor fitted.
        log_loss: Mean negative logarithm of the probability of what is true.
        roc_auc: Area under the receiver operating characteristic.
        accuracy: Share of crystals on the right side of a probability of 0.5.
        f1: Harmonic mean of precision and recall of the true ones.
        baseline_log_loss: Log loss of predicting the share of true ones among the model's training labels; null where
            that is 0 or 1.
        baseline_accuracy: Accuracy of predicting the more frequent of these labels.
    """

    property: str
    unit: str
    kind: str
    group: str
    labels: Counted
    mae: Number = Number(value=None)
    rmse: Number = Number(value=None)
    r2: Number = Number(value=None)
    median_mae: float | None = None
    boosting_mae: float | None = None
    log_loss: Number | None = Field(default=None, exclude_if=_is_none)
    roc_auc: Number | None = Field(default=None, exclude_if=_is_none)
    accuracy: Number | None = Field(default=None, exclude_if=_is_none)
    f1: Number | None = Field(default=None, exclude_if=_is_none)
    baseline_log_loss: float | None = Field(default=None, exclude_if=_is_none)
    baseline_accuracy: float | None = Field(default=None, exclude_if=_is_none)

    def is_binary(self) -> bool:
        """Return whether the property is binary."""
        return self.log_loss is not None

    def error(self) -> Number:
        """Return the error that is compared: the MAE, or the log loss of a binary property."""
        return self.mae if self.log_loss is None else self.log_loss

    @classmethod
    def of(
        cls, names: tuple[str, str, str, str], errors: Errors, median_mae: float | None, boosting_mae: float | None
    ) -> EvaluatedGroup:
        """Record the errors of a group.

        Args:
            names: Property, unit, kind and name of the group.
            errors: Its errors.
            median_mae: Error of the median.
            boosting_mae: Error of gradient boosting.
        """
        key, unit, kind, group = names
        return cls(
            property=key, unit=unit, kind=kind, group=group, labels=errors.count,
            mae=Number.of(errors.mae), rmse=Number.of(errors.rmse), r2=Number.of(errors.r2),
            median_mae=median_mae, boosting_mae=boosting_mae,
        )  # fmt: skip

    @classmethod
    def of_binary(
        cls, names: tuple[str, str, str], errors: BinaryErrors, baseline: tuple[float | None, float | None]
    ) -> EvaluatedGroup:
        """Record the errors of the probabilities of a group.

        Args:
            names: Property, kind and name of the group.
            errors: Its errors.
            baseline: Log loss and accuracy of the share of true training labels.
        """
        key, kind, group = names
        return cls(
            property=key, unit="", kind=kind, group=group, labels=errors.count,
            log_loss=Number.of(errors.log_loss), roc_auc=Number.of(errors.roc_auc),
            accuracy=Number.of(errors.accuracy), f1=Number.of(errors.f1),
            baseline_log_loss=baseline[0], baseline_accuracy=baseline[1],
        )  # fmt: skip


class Intervals(Record):
    """How the intervals were made.

    Attributes:
        method: The method.
        resamples: Samples drawn.
        level: Share of the samples between the ends.
        seed: Seed of the draws.
    """

    method: str
    resamples: Counted
    level: float
    seed: Counted


class EvaluationResult(Record):
    """Errors of a model, or of predictions in a file, on labelled data.

    Attributes:
        schema_version: Format of this record.
        models: Ids of the runs; empty for predictions of a file.
        predictions: The file of predictions; empty for models.
        data: Name or path of the data set.
        part: Part of the model's own split; ``all`` for other data.
        crystals: Crystals with a label.
        unlabelled: Crystals of the part without one.
        rejected: Records of the data set that are no valid crystal.
        not_predicted: Labelled crystals without a finite prediction, by property.
        median_of: Where the median comes from that is compared with.
        boosting: Where the errors of gradient boosting come from, or why there are none.
        training: Crystals by whether the model was trained on their structure; empty where that is not known.
        intervals: How the intervals were made.
        notes: What a reader of the numbers should know.
        groups: Errors by property and group.
    """

    schema_version: Counted = VERSION
    models: tuple[str, ...] = ()
    predictions: str = ""
    data: str
    part: str
    crystals: Counted
    unlabelled: Counted
    rejected: Counted
    not_predicted: dict[str, Counted]
    median_of: str
    boosting: str
    training: dict[str, Counted]
    intervals: Intervals
    notes: tuple[str, ...]
    groups: tuple[EvaluatedGroup, ...]

    def of_kind(self, kind: str) -> list[EvaluatedGroup]:
        """Return the errors of the groups of one kind."""
        return [group for group in self.groups if group.kind == kind]
