"""One run of several properties, and runs of each of them, to predict each by the best one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phase2.config.multirun.member import Member
from phase2.config.multirun.ways import FINE_TUNED, TOGETHER
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError

SHARE_OF_EPOCHS = 0.4
"""Epochs of a run that starts from the run of all, relative to the epochs of that."""
SHARE_OF_RATE = 0.2
"""Its learning rate, relative to that of the run of all."""


def together(request: RunRequest, name: str, option: str) -> Member:
    """Return the run of all properties of a request.

    Args:
        request: The request.
        name: Common name of the runs.
        option: The option that asks for runs of each property, for messages.

    Raises:
        RequestError: It asks for one property, for a part of the crystals, or to leave out twins.
    """
    config = resolve(request).config
    if len(config.properties) < 2:
        raise RequestError(
            f"There is nothing to compare with {option}: the run is of {config.properties[0]} alone.",
            fix=f"Name two properties or more with --properties, or leave out {option}.",
        )
    if config.data.max_samples is not None:
        raise RequestError(
            f"All crystals are needed for {option}, and this run uses at most {config.data.max_samples:,}.",
            why="They are chosen by their labels, so that a run of another property would have others, and its errors "
            "would not compare.",
            fix="Train at a level that uses all (std, pro or max), or with --set data.max_samples=null.",
        )
    if config.data.drop_twins:
        raise RequestError(
            f"{option} and --drop-twins exclude each other.",
            why="Which crystals have a labelled twin differs from property to property, so that the runs would be "
            "validated on different crystals.",
            fix="Leave out --drop-twins: results.json has the errors of crystals with and without twins.",
        )
    return Member(f"{name}-{TOGETHER}", request)


def alone(request: RunRequest, name: str, properties: Sequence[str]) -> tuple[Member, ...]:
    """Return a run of each property, with everything else as in the request.

    Args:
        request: The request of the run of all.
        name: Common name of the runs.
        properties: Keys of the properties.

    Example:
        >>> members = alone(RunRequest(algorithm="cgcnn"), "try", ["band_gap", "ehull"])
        >>> [(member.run_id, member.request.properties) for member in members]
        [('try-band_gap', ('band_gap',)), ('try-ehull', ('ehull',))]
    """
    return tuple(
        Member(f"{name}-{key}", replace(request, all_properties=False, properties=(key,))) for key in properties
    )


def fine_tuned(request: RunRequest, name: str, properties: Sequence[str], source: str) -> tuple[Member, ...]:
    """Return a run of each property that starts from the run of all: fewer epochs, at a smaller rate.

    Args:
        request: The request of the run of all.
        name: Common name of the runs.
        properties: Keys of the properties.
        source: Address of the run of all, which is looked up when a run begins.

    Example:
        >>> request = RunRequest(algorithm="cgcnn", level="std", epochs=20, lr=0.01)
        >>> (member,) = fine_tuned(request, "try", ["ehull"], "s3://runs/multitask_cgcnn/run_try-together")
        >>> member.run_id, member.request.properties, member.request.epochs, member.request.lr
        ('try-ehull-fine-tuned', ('ehull',), 8, 0.002)
    """
    training = resolve(request).config.training
    common = replace(
        request,
        all_properties=False,
        epochs=max(1, round(SHARE_OF_EPOCHS * training.epochs)),
        lr=SHARE_OF_RATE * training.lr,
        from_=source,
        freeze=None,
        new_heads=False,
        settings=tuple(one for one in request.settings if not one.path.startswith("fine_tuning.")),
    )
    return tuple(Member(f"{name}-{key}-{FINE_TUNED}", replace(common, properties=(key,))) for key in properties)
