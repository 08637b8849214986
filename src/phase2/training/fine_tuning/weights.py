"""Copying the weights of a trained model into the model of another run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phase2.errors import ModelFileError
from phase2.models.files.modelfile import named_tensors

HEADS = "heads."
"""Beginning of the names of the tensors behind the features of a crystal."""


@dataclass(frozen=True, slots=True)
class PropertyRows:
    """Part of a tensor that belongs to single properties: equal shares of one of its dimensions, in their order.

    Attributes:
        dimension: The dimension.
        size: Share of each property.
    """

    dimension: int
    size: int

    def of(self, tensor: Tensor, column: int) -> Tensor:
        """Return the share of a property, a view."""
        return tensor.narrow(self.dimension, column * self.size, self.size)


def find_property_rows(build: Callable[[int], nn.Module]) -> dict[str, PropertyRows]:
    """Find the tensors that have a part for each property, by building the model for one and for two properties.

    Args:
        build: Builds the model for a number of properties.
    """
    with torch.random.fork_rng(devices=[]):
        one, two = named_tensors(build(1)), named_tensors(build(2))
    found = {}
    for name, tensor in one.items():
        grown = [k for k, (n, m) in enumerate(zip(tensor.shape, two[name].shape, strict=True)) if n != m]
        if grown:
            found[name] = PropertyRows(grown[0], two[name].shape[grown[0]] - tensor.shape[grown[0]])
    return found


@torch.no_grad()
def copy_weights(
    target: nn.Module,
    source: nn.Module,
    rows: Mapping[str, PropertyRows],
    columns: Sequence[tuple[int, int]],
    *,
    heads: bool,
) -> None:
    """Copy weights and running statistics into an untrained model; what is not copied stays as it was drawn.

    Args:
        target: The untrained model.
        source: The trained model, of the same network; it may predict other properties.
        rows: Tensors that have a part for each property.
        columns: Columns of a kept property in the outputs of target and source, for each.
        heads: Copy what is behind the features of a crystal as well.

    Raises:
        ModelFileError: The models are of different networks.
    """
    theirs = named_tensors(source)
    for name, tensor in named_tensors(target).items():
        if name.startswith(HEADS) and not heads:
            continue
        found = theirs.get(name)
        if name in rows and found is not None:
            for own, other in columns:
                rows[name].of(tensor, own).copy_(rows[name].of(found, other))
        elif found is None or found.shape != tensor.shape:
            raise ModelFileError(
                "The weights do not fit.",
                why=f"'{name}' is {'missing' if found is None else tuple(found.shape)}, not {tuple(tensor.shape)}.",
                fix="Start from a model of the same network.",
            )
        else:
            tensor.copy_(found)
