"""Element embeddings from tabulated properties."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

ELEMENTS = 118
GROUPS = 18
PERIODS = 7


class ElementFeatures(nn.Module):
    """Embedding of elements: a projection of tabulated properties plus a learned correction.

    The correction starts at zero and is learned only for elements that occur in training. An element that does not
    occur is still embedded by its group, period, electronegativity and so on, near similar elements.

    Args:
        width: Channels per atom, C.
    """

    table: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("table", torch.tensor(element_table()), persistent=False)
        self.project = nn.Linear(self.table.shape[1], width)
        self.correction = nn.Parameter(torch.zeros(ELEMENTS + 1, width))

    def forward(self, species: Tensor) -> Tensor:
        """Embed atomic numbers, (N,) int64, as features, (N, C) float32."""
        return functional.embedding(species, self.project(self.table) + self.correction)


@cache
def element_table() -> NDArray[np.float32]:
    """Return tabulated properties by atomic number, (119, number of features) float32; row 0 is no element.

    Group and period one-hot; electrons outside the noble gas core by s, p, d, f, electronegativity, radius, molar
    volume, ionisation energy, electron affinity and Mendeleev number, standardised over the elements. Unknown values
    are set to the mean. Written by ``tools/datasets/element_table.py``. All callers share one read-only array.
    """
    text = files("phase2.models").joinpath("element_table.csv").read_text("utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
    numbers = values[:, 2:]
    standardised = (numbers - np.nanmean(numbers, axis=0)) / np.nanstd(numbers, axis=0)
    group = np.eye(GROUPS)[values[:, 0].astype(int) - 1]
    period = np.eye(PERIODS)[np.minimum(values[:, 1].astype(int), PERIODS) - 1]
    table = np.zeros((ELEMENTS + 1, GROUPS + PERIODS + numbers.shape[1]), np.float32)
    table[1:] = np.concatenate([group, period, np.nan_to_num(standardised)], axis=1)
    table.flags.writeable = False
    return table
