"""A run request from the keywords of a Python call."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from phase2.api.data.data_address import data_address
from phase2.api.data.own_properties import OwnProperties, own_definitions
from phase2.api.names import property_keys
from phase2.api.runs.listed_run import ListedRun
from phase2.config.assignments import settings_of
from phase2.config.combine import combine
from phase2.config.request.run_request import RunRequest
from phase2.config.run_file.reader import RunFile
from phase2.errors import UnknownNameError

if TYPE_CHECKING:
    from phase2.api.data.dataset import Dataset
    from phase2.api.runs.run import Run


class RunSettings(TypedDict, total=False):
    """Keywords of :func:`phase2.train` that say what is trained: those of the command line, under the same names.

    Attributes:
        algorithm: ``e3nn`` (the default) or ``cgcnn``.
        level: ``smoke``, ``lite``, ``std``, ``pro`` or ``max``; excludes ``competition``.
        competition: Train the competition profile instead of a level.
        all_properties: Train all nine properties; excludes ``properties``.
        properties: Keys of the properties to train.
        own_properties: Properties of your own, besides the nine: a YAML file, or definitions as mappings or as
            ``key:unit:column``. They are trained alone where no property is named.
        epochs: Passes over the training set.
        lr: Peak learning rate.
        batch_size: Crystals per step.
        preset: Size of the network, for cgcnn only: ``small``, ``medium`` or ``large``.
        max_samples: Crystals used, all parts together.
        seed: Seed of the weights, the batches and every other random draw of the run.
        data: Name of a data set, a path, or a :class:`phase2.Dataset`.
        output: Folder that holds the families of runs; ``models`` by default.
        split: How crystals are divided: ``random``, ``composition``, ``kfold:5/1`` and the like.
        drop_twins: Leave out validation and test crystals with a twin in the training part.
        cutoff: Longest edge of the graphs, angstrom.
        patience: Epochs without a better validation score before the run stops early.
        balance: How the losses of the properties are weighed: ``equal``, ``uncertainty`` or ``famo``.
        precision: Arithmetic of the forward pass: ``fp32`` or ``bf16``.
        backbone: Read the features of this pretrained potential: ``sevennet-0``, ``sevennet-l3i5`` or
            ``chgnet``.
        from_: Start from the weights of this run: its id or folder name, ``best``, its folder or address, the path of a
            ``best.pt``, or a :class:`phase2.Run`.
        freeze: With ``from_``: ``backbone`` trains the heads alone, ``none`` everything.
        new_heads: With ``from_``: begin with untrained heads.
        settings: Any other setting by its dotted path, as ``--set`` takes it: ``{"training.weight_decay": 0.1}``.
        config: A configuration file as ``phase2 explain --yaml`` writes it, or its content as nested mappings; keywords
            and ``settings`` override it.
    """

    algorithm: str
    level: str | None
    competition: bool
    all_properties: bool
    properties: str | Sequence[str] | None
    own_properties: OwnProperties
    epochs: int | None
    lr: float | None
    batch_size: int | None
    preset: str | None
    max_samples: int | None
    seed: int | None
    data: str | os.PathLike[str] | Dataset | None
    output: str | os.PathLike[str]
    split: str | None
    drop_twins: bool
    cutoff: float | None
    patience: int | None
    balance: str | None
    precision: str | None
    backbone: str | None
    from_: str | os.PathLike[str] | Run | ListedRun | None
    freeze: str | None
    new_heads: bool
    settings: Mapping[str, object] | None
    config: str | os.PathLike[str] | Mapping[str, object] | None


def run_request(settings: Mapping[str, Any]) -> RunRequest:
    """Build a request from keywords: those override ``settings``, and these override ``config``.

    Raises:
        UnknownNameError: There is no such keyword; the nearest one is offered.
        RequestError: The values contradict each other or make no sense.

    Examples:
        >>> request = run_request({"algorithm": "cgcnn", "epochs": 3, "settings": {"training.patience": 2}})
        >>> " ".join(request.command())
        'phase2 train --algorithm cgcnn --epochs 3 --set training.patience=2'
    """
    known = list(RunSettings.__annotations__)
    for name in settings:
        if name not in known:
            raise UnknownNameError.of("setting", name, known)
    words = {name: _READERS.get(name, _same)(value) for name, value in settings.items() if name not in _COMBINED}
    return combine(words, settings=settings_of((settings.get("settings") or {}).items()), file=_file(settings))


def _file(settings: Mapping[str, Any]) -> RunFile | None:
    config = settings.get("config")
    if isinstance(config, Mapping):
        return RunFile.parse(json.dumps(config, default=list), "config")
    return None if config is None else RunFile.read(Path(config))


def _same(value: object) -> object:
    return value


def _source(value: str | os.PathLike[str] | Run | ListedRun | None) -> str | None:
    if value is None or isinstance(value, str | os.PathLike):
        return None if value is None else os.fspath(value)
    return value.address if isinstance(value, ListedRun) else str(value.directory)


_COMBINED = ("config", "settings")
_READERS: Mapping[str, Any] = {
    "properties": property_keys,
    "own_properties": own_definitions,
    "data": data_address,
    "output": Path,
    "from_": _source,
}
