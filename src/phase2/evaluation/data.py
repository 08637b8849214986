"""The crystals that a model is judged on: any labelled data set, or a part of the model's own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from phase2.config.data.sets import CRYSTALS
from phase2.config.schema import DataConfig
from phase2.data.crystals.shown import cut
from phase2.data.dataset import CrystalPropertyDataset, open_graph_store
from phase2.data.label_remarks import label_remarks, refuse_sentinels
from phase2.data.labels import labels_as_given, without_impossible
from phase2.errors import DataError, Phase2Error, RequestError, UnknownNameError
from phase2.evaluation.label_columns import LabelColumn, labels_of, with_columns
from phase2.output.wording import counted
from phase2.properties import Property
from phase2.runs.layout import MANIFEST
from phase2.runs.records.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from phase2.config.limits import ReadingLimits
    from phase2.data.store.store import GraphStore
    from phase2.models.files.modelfile import TrainedModel
    from phase2.prediction.predictor import Predictor
    from phase2.storage.base import Store

Part = Literal["train", "val", "test", "all"]
PARTS: tuple[Part, ...] = ("train", "val", "test", "all")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledData:
    """Labelled crystals to judge a model on.

    Attributes:
        config: Name or path of the data set, and its graphs.
        part: The part of its run's split; ``all`` for other data.
        store: Graphs of all crystals of the data set.
        index: The crystals with a label, rows of the store, (B,) int64.
        labels: Their labels, (B, P) float64, in the properties' units, NaN where missing.
        unlabelled: Crystals of the part without a label of these properties.
        remarks: Remarks on the labels of other data than the model's.
    """

    config: DataConfig
    part: Part
    store: GraphStore
    index: NDArray[np.int64]
    labels: NDArray[np.float64]
    unlabelled: int
    remarks: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Name or path of the data set."""
        return self.config.source

    @property
    def ids(self) -> list[str]:
        """Ids of the crystals, (B,)."""
        found: list[str] = self.store.graphs.ids[self.index].tolist()
        return found

    def select(self, chosen: NDArray[np.bool_]) -> LabelledData:
        """Return some of the crystals, (B,) bool."""
        return replace(self, index=self.index[chosen], labels=self.labels[chosen])


def data_to_read(model: TrainedModel, source: str, limits: ReadingLimits) -> DataConfig:
    """Return the settings with which a model's graphs and labels are read from a data set."""
    own = model.config.data
    return DataConfig(source=source, graph=own.graph, own_properties=own.own_properties, limits=limits)


def own_dataset(
    predictor: Predictor, source: str | None = None, stored_in: Store | None = None
) -> CrystalPropertyDataset | Phase2Error:
    """Return the data set that a model was trained on, with its split; the reason where it is not here.

    Args:
        predictor: The model.
        source: Name or path of the data that it is judged on: they may be its own, in another place than then.
        stored_in: Store of the data sets; None for that of the environment.
    """
    own, keys = predictor.model.config.data, [p.key for p in predictor.model.properties]
    try:
        return CrystalPropertyDataset.load(own, keys, stored_in=stored_in)
    except Phase2Error as error:
        return _moved(predictor, own, source, stored_in) or error


def _moved(
    predictor: Predictor, own: DataConfig, source: str | None, stored_in: Store | None
) -> CrystalPropertyDataset | None:
    """Return data as those of a run, if they have the content, the labels and the parts that its manifest records."""
    if source is None or source == own.source:
        return None
    with suppress(Phase2Error):
        facts = read_manifest(predictor.path.parent / MANIFEST).data
        keys = [p.key for p in predictor.model.properties]
        found = CrystalPropertyDataset.load(own.model_copy(update={"source": source}), keys, stored_in=stored_in)
        if facts is not None and found.fingerprint == facts.fingerprint:
            return found
    return None


def open_labelled(
    config: DataConfig,
    properties: Sequence[Property],
    stored_in: Store | None = None,
    columns: Mapping[str, LabelColumn] = MappingProxyType({}),
) -> LabelledData:
    """Open all labelled crystals of a data set; as for a training, labels beyond the bounds of a property are left out.

    Args:
        config: Its name or path, the graphs that the model reads, and the limits of reading.
        properties: Properties whose labels are wanted.
        stored_in: Store that has the data set, where it is one of a store; that of the environment by default.
        columns: Columns of labels that have other names, by property.

    Raises:
        DataError: It cannot be read, or has no label of these properties, or no such column, or numbers that stand for
            missing labels.
    """
    config = with_columns(config, columns, properties)
    store = open_graph_store(config, stored_in=stored_in)
    targets = labels_of(config, columns, properties, labels_as_given(store.graphs.targets), stored_in)
    ids = np.asarray(store.graphs.ids)
    targets, beyond = without_impossible(targets, properties, ids)
    if config.source not in CRYSTALS:
        refuse_sentinels(targets, properties, ids)
    left_out = [
        f"{key}: {counted(len(names), 'label')} beyond the bounds of the property, such as that of {cut(names[0])}, "
        "left out"
        for key, names in beyond.items()
    ]
    found = _labelled(config, "all", store, np.arange(len(store.graphs)), targets)
    return replace(found, remarks=(*left_out, *label_remarks(targets, properties, ids)))


def open_part(
    dataset: CrystalPropertyDataset, config: DataConfig, part: Part, properties: Sequence[Property]
) -> LabelledData:
    """Return the labelled crystals of a part of a model's own data.

    Args:
        dataset: The data set that the model was trained on.
        config: Its settings.
        part: The part.
        properties: Properties whose labels are wanted.

    Raises:
        DataError: They have no label of these properties.
    """
    split = dataset.split
    rows = {"train": split.train, "val": split.val, "test": split.test, "all": np.arange(len(dataset.graphs))}
    known = [p.key for p in dataset.properties]
    targets = dataset.targets[rows[part]][:, [known.index(p.key) for p in properties]]
    return _labelled(config, part, dataset.store, rows[part], targets)


def parse_part(name: str | None) -> Part | None:
    """Return the part of a name; None for None.

    Raises:
        UnknownNameError: There is no such part.
    """
    for part in PARTS:
        if name == part:
            return part
    if name is not None:
        raise UnknownNameError.of("part", name, PARTS)
    return None


def check_part(part: Part | None, *, own: bool, source: str) -> Part:
    """Return the part to judge a model on: the test part of its own data by default, and all of other data.

    Raises:
        RequestError: A part of other data was asked for.
    """
    if own:
        return part or "test"
    if part in (None, "all"):
        return "all"
    raise RequestError(
        f"The model knows no {part} part of {source}.",
        why="Its parts are those of the data set that it was trained on.",
        fix="Drop --part: all are judged. Its own data are recognised by their content, beside its manifest.",
    )


def _labelled(
    config: DataConfig, part: Part, store: GraphStore, rows: NDArray[np.int64], targets: NDArray[np.floating]
) -> LabelledData:
    present = np.isfinite(targets).any(axis=1)
    if not present.any():
        where = "" if part == "all" else f" of the {part} part"
        raise DataError(
            f"{config.source} has no label of these properties.",
            why=f"None of the {len(rows):,} crystals{where} has one.",
            fix="Give a data set with labels; 'phase2 data describe' shows which a data set has.",
        )
    labels = labels_as_given(targets[present])
    return LabelledData(config, part, store, rows[present], labels, int((~present).sum()))
