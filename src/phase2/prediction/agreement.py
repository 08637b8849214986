"""Agreement of the models of an ensemble on what they predict."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.data.transforms import is_per_volume
from phase2.errors import RequestError
from phase2.prediction.predictor import Predictor
from phase2.properties import Property


def shared_properties(predictors: Sequence[Predictor]) -> tuple[Property, ...]:
    """Return the properties that all of several models were trained for, in the order of the first."""
    common = set.intersection(*({p.key for p in one.model.properties} for one in predictors))
    return tuple(prop for prop in predictors[0].model.properties if prop.key in common)


def joint_keys(
    predictors: Sequence[Predictor],
    *,
    instead: str = "Add --combine best, which predicts each property by the best model of it",
) -> list[str]:
    """Return the keys of the properties that models predict together where none are asked for.

    Args:
        predictors: The models.
        instead: What to do with models of different properties.

    Raises:
        RequestError: They were trained for different properties: a mean would leave some out without a word.
    """
    of_each = {one.model.run_id: [p.key for p in one.model.properties] for one in predictors}
    if len(set(map(frozenset, of_each.values()))) > 1:
        shared = ",".join(prop.key for prop in shared_properties(predictors))
        some = f", or ask for those that all have: --properties {shared}" if shared else ""
        raise RequestError(
            "These models predict different properties.",
            why="; ".join(f"run {run}: {', '.join(keys)}" for run, keys in of_each.items()) + ".",
            fix=f"{instead}{some}.",
        )
    return [p.key for p in predictors[0].model.properties]


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


def check_learned_alike(predictors: Sequence[Predictor], keys: Sequence[str], *, action: str, fix: str) -> None:
    """Check that models learn properties alike, so that what they keep of their validation part can be compared.

    Args:
        predictors: The models, each trained for these properties.
        keys: Keys of the properties.
        action: What is to be done with the models, as a participle: ``compared``.
        fix: What to do where they are not alike.

    Raises:
        RequestError: Two models learn a property in different forms.
    """
    columns = [one.output_columns(keys) for one in predictors]
    for k, key in enumerate(keys):
        found = [one.model.properties[chosen[k]] for one, chosen in zip(predictors, columns, strict=True)]
        if len({prop.learned_as for prop in found}) > 1:
            forms = "; ".join(f"run {one.model.run_id}: {_form(p)}" for one, p in zip(predictors, found, strict=True))
            raise RequestError(
                f"These models cannot be {action}: they learn '{key}' differently.", why=f"{forms}.", fix=fix
            )


def _form(prop: Property) -> str:
    """Return what a network learns of a property in words."""
    counted = "value times the volume per atom" if is_per_volume(prop) else "value"
    counted = "value per atom" if prop.per == "cell" else counted
    return counted if prop.transform == "none" else f"{prop.transform} of the {counted}"
