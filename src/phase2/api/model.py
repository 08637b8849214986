"""Trained models: what they predict, and how well."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phase2.api.caller.torch_state import preserved_threads
from phase2.api.data.data_address import data_address
from phase2.api.data.structures import listed
from phase2.api.names import property_keys
from phase2.api.results.evaluation import Evaluation
from phase2.api.results.predictions import Predictions
from phase2.config.extras import explain_missing_packages
from phase2.config.given_limits import limits_of
from phase2.data.crystals.elements import SYMBOLS
from phase2.errors import RequestError
from phase2.evaluation.bootstrap import RESAMPLES
from phase2.evaluation.data import Part
from phase2.evaluation.evaluate import Request, evaluate_models
from phase2.evaluation.label_columns import LabelColumn
from phase2.evaluation.tables import Sampling
from phase2.prediction.agreement import shared_properties
from phase2.prediction.choice import properties_of_any
from phase2.prediction.embedders import ModelEmbedder
from phase2.prediction.embedding import Embeddings, embed_structures
from phase2.prediction.ensemble import Combine, predict_with
from phase2.prediction.predictor import Predictor
from phase2.prediction.reading.graph_reader import GraphReader
from phase2.properties import Property

if TYPE_CHECKING:
    from phase2.api.data.dataset import Dataset
    from phase2.api.data.structures import Structures
    from phase2.storage.progress import ProgressCallback


class Model:
    """A trained model, an ensemble of several, or the best of several for each property.

    Args:
        predictors: The models.
        combine: What is made of the predictions of several models.
    """

    def __init__(self, predictors: Sequence[Predictor], combine: Combine = "mean") -> None:
        self._predictors = tuple(predictors)
        self._combine: Combine = combine

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it predicts, in the order of the columns; of an ensemble, what all of its models predict."""
        return (properties_of_any if self._combine == "best" else shared_properties)(self._predictors)

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of the elements that occur in its training crystals, by atomic number."""
        return tuple(SYMBOLS[z - 1] for z in self._predictors[0].model.species)

    @property
    def files(self) -> tuple[Path, ...]:
        """The model files, one per member."""
        return tuple(predictor.path for predictor in self._predictors)

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self._predictors[0].device)

    def predict(
        self,
        structures: Structures,
        *,
        properties: str | Sequence[str] | None = None,
        interval: float | Sequence[float] = (),
        batch_size: int = 64,
        limits: Mapping[str, float] | None = None,
        progress: ProgressCallback | None = None,
    ) -> Predictions:
        """Predict structures; one row each, in their order.

        A structure that cannot be used costs its own row, which says why; all others are predicted. Files are read in a
        process whose time and memory are limited; structures in memory are packed in this one, where they are not.

        Args:
            structures: One or many of: the path of a structure file, a :class:`phase2.Crystal`, a
                pymatgen ``Structure`` or its ``as_dict()``, an ASE ``Atoms``. A folder stands for its structure files,
                a :class:`phase2.Dataset` for its crystals.
            properties: Keys of the wanted properties, also as ``"band_gap,bulk_modulus"``; all of the model's by
                default.
            interval: Share of true values that an interval is to hold, 0.9 for instance, or several shares: adds the
                low and high end of each property, and the novelty of the structure.
            batch_size: Structures predicted at a time.
            limits: Limits of reading to change, by name: ``{"atoms": 20_000}``.
            progress: Called with (structures done, structures in all); an ensemble counts them once per model.

        Raises:
            UnknownNameError: The model was not trained for a property.
            RequestError: ``properties`` is empty or names one twice, ``batch_size`` is not positive, an interval or a
                limit is impossible, a mapping is no structure, or the models of an ensemble cannot be calibrated
                together.
            ModelFileError: An interval was requested of a model file without calibration.
            DataError: A folder cannot be read or holds no structure.

        Examples:
            >>> crystals = phase2.load_dataset("sample").crystals
            >>> table = model.predict(crystals[:3], properties=["band_gap"])
            >>> table.columns()
            ['file', 'formula', 'band_gap [eV]', 'warning', 'error']
            >>> [row.formula for row in table]
            ['Pd', 'Cs', 'Re']
        """
        if batch_size < 1:
            raise RequestError(f"batch_size={batch_size} is not a positive number.", fix="Give 1 or more.")
        items = listed(structures)
        with preserved_threads(), explain_missing_packages(), GraphReader(limits_of(limits)) as reader:
            table = predict_with(
                self._predictors,
                items,
                combine=self._combine,
                properties=property_keys(properties),
                levels=[interval] if isinstance(interval, float | int) else interval,
                batch_size=batch_size,
                progress=progress,
                reader=reader,
            )
        return Predictions(table)

    def embed(
        self,
        structures: Structures,
        *,
        batch_size: int = 64,
        limits: Mapping[str, float] | None = None,
        progress: ProgressCallback | None = None,
    ) -> Embeddings:
        """Compute the features of structures that the model's heads read; of an ensemble, those of its first member.

        Args:
            structures: One or many, as for :meth:`predict`.
            batch_size: Structures embedded at a time.
            limits: Limits of reading to change, as for :meth:`predict`.
            progress: Called with (structures done, structures in all).

        Raises:
            RequestError: ``batch_size`` is not positive, or a limit is impossible.
            DataError: A folder cannot be read or holds no structure.

        Examples:
            >>> crystals = phase2.load_dataset("sample").crystals
            >>> found = model.embed(crystals[:3])
            >>> found.ids == tuple(one.id for one in crystals[:3]), len(found.features)
            (True, 3)
        """
        if batch_size < 1:
            raise RequestError(f"batch_size={batch_size} is not a positive number.", fix="Give 1 or more.")
        items = listed(structures)
        embedder = ModelEmbedder(self._predictors[0])
        with preserved_threads(), explain_missing_packages(), GraphReader(limits_of(limits)) as reader:
            return embed_structures(embedder, items, batch_size=batch_size, progress=progress, reader=reader)

    def evaluate(
        self,
        data: str | os.PathLike[str] | Dataset | None = None,
        *,
        part: Part | None = None,
        properties: str | Sequence[str] | None = None,
        boosting: bool = False,
        resamples: int = RESAMPLES,
        columns: Mapping[str, str] | None = None,
        limits: Mapping[str, float] | None = None,
        progress: ProgressCallback | None = None,
    ) -> Evaluation:
        """Measure the errors on labelled data, by property and kind of crystal, as ``phase2 evaluate`` does.

        Args:
            data: Name or path of a data set, or a :class:`phase2.Dataset`, as for training; that of the model by
                default.
            part: ``train``, ``val``, ``test`` or ``all`` of the model's own data; ``test`` by default.
            properties: Keys of the wanted properties, also as ``"band_gap,bulk_modulus"``; all of the model's by
                default.
            boosting: Whether to fit gradient boosting to the model's training crystals, to compare with.
            resamples: Bootstrap samples of the intervals; 0 for none.
            columns: Columns of other data that hold the labels of properties under other names, with their units or
                without: ``{"band_gap": "meV:Eg", "ehull": "e_above_hull"}``.
            limits: Limits of reading to change, as for :meth:`predict`.
            progress: Called with (crystals done, crystals in all); an ensemble counts them once per model.

        Raises:
            UnknownNameError: The model was not trained for a property.
            RequestError: A part of data that are not the model's own was asked for, or the model is the best of several
                for each property.
            DataError: The data cannot be read, or have no labels.

        Examples:
            >>> found = model.evaluate(resamples=100)
            >>> found.of_kind("all")[0].property
            'formation_energy'
        """
        if self._combine == "best" and len(self._predictors) > 1:
            raise RequestError(
                "The best of several models for each property is not evaluated.",
                why="Each property is predicted by one of them, and has the errors of that one.",
                fix="Evaluate the models one by one.",
            )
        request = Request(
            source=data_address(data),
            part=part,
            properties=property_keys(properties),
            boosting=boosting,
            sampling=Sampling(resamples=resamples),
            limits=limits_of(limits),
            columns=tuple(
                LabelColumn.parse(f"{key}:{text}" if ":" in text else f"{key}::{text}")
                for key, text in (columns or {}).items()
            ),
        )
        with preserved_threads(), explain_missing_packages():
            return Evaluation(evaluate_models(self._predictors, request, progress=progress))

    def __repr__(self) -> str:
        runs = ", ".join(f"'{predictor.model.run_id}'" for predictor in self._predictors)
        keys = ", ".join(p.key for p in self.properties)
        algorithm = self._predictors[0].model.config.algorithm
        several = "best of" if self._combine == "best" else "ensemble of"
        kind = f"{several} {len(self._predictors)} models" if len(self._predictors) > 1 else "model"
        return f"<{algorithm} {kind} of run {runs}: {keys}; on {self.device}>"
