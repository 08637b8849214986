"""What published protocols have in common: folds, a run for each fold and seed, and errors on what it has not seen."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.published_split import part_file
from bench.study.results import finished_run
from bench.study.rows import Study, StudyRun, Variant
from bench.study.tables import mean_and_spread
from phase2.config.data.own_properties import PropertyDefinition
from phase2.data.sources.registry import open_source
from phase2.errors import InvalidCrystalError
from phase2.properties import PROPERTIES
from phase2.runs.addresses import stored_model_file
from phase2.runs.report.markdown import markup_table
from phase2.storage.base import Store

Score = Callable[[NDArray[np.float64], NDArray[np.float64], float], float]
"""Score of predictions, from these, the labels, and the lowest label that the model has seen."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Part of a protocol that one model is trained for.

    Attributes:
        name: Its name, part of the run id.
        seen: Parts of the file that the model may see.
        heldout: Part that it is evaluated on.
    """

    name: str
    seen: tuple[str, ...]
    heldout: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """A published protocol for one property.

    Attributes:
        name: Its name, part of the run ids.
        data: File with a published split, in JARVIS's schema.
        prop: The property, one of the nine or defined by the protocol.
        folds: What is trained and evaluated.
        score: The published score.
        fractions: Sizes of the run's own parts of what it sees: training, validation, test.
    """

    name: str
    data: Path
    prop: str | PropertyDefinition
    folds: tuple[Fold, ...]
    score: Score
    fractions: str = "[0.9,0.05,0.05]"

    @property
    def key(self) -> str:
        """Key of the property."""
        return self.prop if isinstance(self.prop, str) else self.prop.key

    def runs(self, seeds: Sequence[int], epochs: int, settings: Sequence[str] = ()) -> list[StudyRun]:
        """Return a run for each fold and seed, with the settings of phase2 unless others are given."""
        return [run for fold in self.folds for run in self._runs(fold, seeds, epochs, settings)]

    def errors(self, store: Store, runs: Sequence[StudyRun]) -> dict[str, list[float]]:
        """Return the score of every finished run on its held-out part, by fold."""
        found: dict[str, list[float]] = {fold.name: [] for fold in self.folds}
        by_name = {fold.name: fold for fold in self.folds}
        for run in runs:
            finished = finished_run(store, run)
            if finished is not None:
                name = run.row.variant.name
                found[name].append(self._score(stored_model_file(store, finished.prefix), by_name[name]))
        return {name: errors for name, errors in found.items() if errors}

    def table(self, errors: dict[str, list[float]]) -> str:
        """Return the table of scores by fold, and their mean and standard deviation over the folds."""
        if not errors:
            return "Not run."
        rows = [(name, mean_and_spread(found), str(len(found))) for name, found in errors.items()]
        if len(self.folds) > 1:
            means = [statistics.mean(found) for found in errors.values()]
            rows.append((f"{len(means)} of {len(self.folds)} folds", mean_and_spread(means), ""))
        return markup_table((self.name, "MAE", "seeds"), rows, numeric=2)

    def _runs(self, fold: Fold, seeds: Sequence[int], epochs: int, settings: Sequence[str]) -> list[StudyRun]:
        study = Study(
            name=self.name,
            question="",
            epochs=epochs,
            settings=(f"data.fractions={self.fractions}", *settings),
            targets={self.key: (self.key,)},
            variants=(Variant(fold.name, ""),),
            own=() if isinstance(self.prop, str) else (self.prop,),
        )
        return study.runs((), seeds, data=str(part_file(self.data, *fold.seen)))

    def _score(self, model: Path, fold: Fold) -> float:
        from bench.heldout import predict_heldout

        found = predict_heldout(model, str(part_file(self.data, fold.heldout)))
        labelled = ~np.isnan(found.labels[:, 0])
        lowest = float(np.nanmin(self._labels(*fold.seen)))
        return self.score(found.predictions[labelled, 0], found.labels[labelled, 0], lowest)

    def _labels(self, *parts: str) -> NDArray[np.float64]:
        known = (*PROPERTIES, *(() if isinstance(self.prop, str) else (self.prop.as_property(),)))
        source = open_source(str(part_file(self.data, *parts)), properties=known)
        column, found = [prop.key for prop in known].index(self.key), []
        for raw in source.records():
            try:
                found.append(source.parse(raw).targets[column])
            except InvalidCrystalError:
                continue
        return np.array(found, dtype=np.float64)


def mean_absolute_error(predictions: NDArray[np.float64], labels: NDArray[np.float64], _: float = 0.0) -> float:
    """Return the mean absolute error."""
    return float(np.abs(predictions - labels).mean())


def log10_error(predictions: NDArray[np.float64], labels: NDArray[np.float64], lowest: float) -> float:
    """Return the mean absolute error of the decimal logarithms; predictions are at least the lowest label seen."""
    return mean_absolute_error(np.log10(np.maximum(predictions, lowest)), np.log10(labels))
