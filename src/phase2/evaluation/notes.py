"""What a reader of errors should know of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.shown import cut
from phase2.data.dataset import CrystalPropertyDataset
from phase2.errors import ModelFileError, Phase2Error
from phase2.evaluation.data import LabelledData, Part
from phase2.evaluation.groups import NEAR, SEEN
from phase2.runs.layout import MANIFEST
from phase2.runs.records.manifest import read_manifest


def part_note(part: Part) -> list[str]:
    """Say what the model knows of a part of its own data."""
    known = {
        "train": "the model was fitted to these crystals: the errors say nothing of new ones",
        "val": "the epoch of the model was chosen on these crystals: errors on new ones are larger",
    }
    return [known[part]] if part in known else []


def left_out_notes(data: LabelledData) -> list[str]:
    """Count the records of other data than the model's that are not judged, name the first, and remark on labels."""
    rejected = data.store.rejected if data.part == "all" else ()
    notes = []
    if rejected:
        are = "record is" if len(rejected) == 1 else "records are"
        notes.append(f"{len(rejected):,} {are} no valid crystal, such as {cut(rejected[0].id)}: {rejected[0].reason}")
    if data.unlabelled:
        have = "crystal has" if data.unlabelled == 1 else "crystals have"
        notes.append(f"{data.unlabelled:,} {have} no label of these properties")
    return [*notes, *data.remarks]


def changed_note(model_file: Path, trained: CrystalPropertyDataset | Phase2Error) -> list[str]:
    """Say that the data of a run are not what they were when it was trained."""
    try:
        facts = read_manifest(model_file.parent / MANIFEST).data
    except ModelFileError:
        return []
    if isinstance(trained, Phase2Error) or facts is None or facts.fingerprint == trained.fingerprint:
        return []
    return ["the data set changed since the model was trained: its parts may not be those of the training"]


def training_note(kin: NDArray[np.str_] | None, trained: Sequence[CrystalPropertyDataset | Phase2Error]) -> list[str]:
    """Say how many of the crystals the model was trained on."""
    absent = [one for one in trained if isinstance(one, Phase2Error)]
    if kin is None:
        return [f"it is not known which of these crystals the model was trained on. {absent[0].what}"]
    notes = [f"the training data of {len(absent)} of {len(trained)} models are not here"] if absent else []
    seen, near = int((kin == SEEN).sum()), int((kin == NEAR).sum())
    if seen or near:
        notes.append(
            f"{seen:,} of these {len(kin):,} crystals ({seen / len(kin):.1%}) are the same as training crystals, "
            f"{near:,} are near-twins of such: errors on and off them are given apart"
        )
    return notes
