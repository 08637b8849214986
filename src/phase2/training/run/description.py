"""Lines for the user about the data of a run, before it is trained."""

from __future__ import annotations

from collections.abc import Callable

from phase2.config.data.splits import RANDOM
from phase2.config.schema import RunConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.left_out import notes_on_left_out
from phase2.data.rejections import reading_notes, rejection_notes
from phase2.data.splits.files import shown
from phase2.properties import Property


def describe_dataset(config: RunConfig, dataset: CrystalPropertyDataset, notify: Callable[[str], None]) -> None:
    """Say what a run learns from, and what was left out.

    Args:
        config: The run.
        dataset: Its data.
        notify: Callback receiving one line for the user.
    """
    split = dataset.split
    parts = f"{len(split.train)} training, {len(split.val)} validation, {len(split.test)} test crystals"
    notify(f"data: {config.data.source}: {parts}")
    _describe_split(config, dataset, notify)
    left_out = [key for key in config.properties if key not in {p.key for p in dataset.properties}]
    if left_out:
        notify(f"left out, for want of labels: {', '.join(left_out)}")
    for text in notes_on_left_out(config.data):
        notify(text)
    for text in rejection_notes(dataset.store.rejected, "rejected.csv in the run folder"):
        notify(text)
    for text in reading_notes(dataset.store.remarks, str(dataset.store.path / "remarks.csv")):
        notify(text)
    for remark in dataset.label_remarks():
        notify(f"remark: {remark}")
    for key, ids in dataset.out_of_bounds.items():
        prop, named = config.get_property(key), ", ".join(ids[:3])
        notify(
            f"{len(ids)} labels of {key} lie beyond its bounds ({_bounds(prop)}) and are left out: "
            + (f"{named} and others" if len(ids) > 3 else named)
        )


def _bounds(prop: Property) -> str:
    low = "" if prop.lower is None else f"from {prop.lower:g}"
    return " ".join(filter(None, (low, "" if prop.upper is None else f"to {prop.upper:g}", prop.unit)))


def _describe_split(config: RunConfig, dataset: CrystalPropertyDataset, notify: Callable[[str], None]) -> None:
    """Say what of a split is not as one may expect."""
    assigned = dataset.assigned
    if assigned.missing:
        notify(f"split: {shown(list(assigned.missing))} of the split file are not in the data")
    if assigned.outside:
        notify(f"split: {assigned.outside:,} crystals of the data are not in the split file, and in no part")
    if dataset.dropped_twins:
        val, test = dataset.dropped_twins
        notify(f"split: {val} validation and {test} test crystals with a twin in the training part are left out")
    counts = dataset.label_counts()
    for part, name in (("val", "validation"), ("test", "test")):
        without = [key for key, count in counts[part].items() if not count]
        if without:
            fix = "; --split stratified would spread them" if config.data.split_name == RANDOM else ""
            notify(f"split: no {name} crystal has a label of {', '.join(without)}{fix}")
