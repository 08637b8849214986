"""The embedded sample of crystals, with which everything runs without a download.

Its origin, the meaning of its labels and its known flaws: ``docs/data/sample.md``. The file is written by
``tools/datasets/sample.py``.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.crystal import Crystal
from phase2.data.sources.base import LabelledCrystal, RawRecord
from phase2.errors import DataError
from phase2.properties import PROPERTIES, Property

SAMPLE_FILE = Path(__file__).with_name("sample.npz")

# Whole multiples of these units compress four times better than floats, and round below the graphs' resolution.
FRACTION_UNIT = 1e-8
LATTICE_UNIT = 1e-6

_Arrays = tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


class SampleSource:
    """The embedded sample as a data set.

    Args:
        properties: The properties whose labels are read; it has none of those that a run defines.
    """

    name = "sample"
    isolated = False

    def __init__(self, properties: Sequence[Property] = PROPERTIES) -> None:
        self.properties = tuple(properties)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the packed file, hexadecimal."""
        return hashlib.sha256(SAMPLE_FILE.read_bytes()).hexdigest()

    def records(self) -> Iterator[RawRecord]:
        """Yield every crystal as its arrays: species (N,), positions (N, 3), lattice (3, 3), targets (9,).

        Raises:
            DataError: The packed file is missing or damaged.
        """
        try:
            with np.load(SAMPLE_FILE, allow_pickle=False) as file:
                ids, sizes, species = file["ids"], file["sizes"].astype(np.int64), file["species"]
                frac, lattice = file["frac"] * FRACTION_UNIT, file["lattice"] * LATTICE_UNIT
                targets = file["targets"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(
                f"The embedded sample {SAMPLE_FILE} cannot be read.", why=str(error), fix="Install phase2 again."
            ) from error
        ends = np.cumsum(sizes).tolist()
        for k, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            content = (species[start:end], frac[start:end], lattice[k], targets[k])
            yield RawRecord(ids[k].decode(), content)

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a crystal and its labels."""
        species, frac, lattice, known = cast("_Arrays", raw.content)
        # Properties that are newer than the file have no label in it.
        targets = np.full(len(self.properties), np.nan)
        targets[: len(known)] = known[: len(targets)]
        return LabelledCrystal(Crystal.checked(raw.id, species, frac, lattice), targets)
