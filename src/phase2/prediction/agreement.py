"""Agreement of the models of an ensemble on what they predict."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.errors import RequestError
from phase2.prediction.predictor import Predictor


def joint_columns(predictors: Sequence[Predictor], keys: Sequence[str]) -> list[list[int]]:
    """Return the columns of properties in the output of each model.

    Args:
        predictors: The models.
        keys: Keys of the properties.

    Raises:
        UnknownNameError: A model was not trained for a property.
        RequestError: The list is empty or names a property twice, or two models define a property in different units
            or as binary and not, so that a mean of their predictions has no meaning.
    """
    columns = [one.output_columns(keys) for one in predictors]
    for k, key in enumerate(keys):
        found = {
            one.model.run_id: one.model.properties[chosen[k]].predicted_unit or "no unit"
            for one, chosen in zip(predictors, columns, strict=True)
        }
        if len(set(found.values())) > 1:
            raise RequestError(
                f"These models cannot be combined: they define '{key}' differently.",
                why="; ".join(f"run {run}: {unit}" for run, unit in found.items()) + ".",
                fix="Name runs that define it alike, or ask for other properties with --properties.",
            )
    return columns
