"""Summary of one run: the part of its manifest that lists, filters and rankings need."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from phase2.config.data.addresses import is_content
from phase2.config.data.splits import RANDOM
from phase2.config.levels import Algorithm, Mode
from phase2.properties import KEYS
from phase2.runs.artifacts import Artifact
from phase2.runs.layout import BEST
from phase2.runs.records.attempts import Attempt, Status
from phase2.runs.records.results import PropertyMetrics
from phase2.storage.records import Counted, Record

RunStatus = Literal["running", "unfinished", "pruned"] | Status
WITHOUT_MANIFEST: frozenset[RunStatus] = frozenset({"running", "unfinished", "pruned"})
"""States of a run that has no manifest, and can be resumed."""


class RunSummary(Record):
    """One run in a list. It holds no test errors, so that none can be used to choose a model.

    Attributes:
        prefix: Prefix of its keys in the store: ``<family>/<name>``.
        run_id: Its id.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        status: How it ended; ``running`` while a process of this machine trains it, ``unfinished`` where it was killed,
            runs elsewhere, or is being published; ``pruned`` where a study gave it up.
        started: When its first attempt started.
        ended: When its last attempt ended; None where that is unknown.
        properties: Its properties.
        score: Validation score of its best model, lower is better; None where it is not finished.
        best_epoch: Epoch of its best model.
        epochs: Epochs trained; None for a run without a manifest, unless it was pruned.
        val_mae: Validation MAE by property, in its unit; binary ones have none.
        val_log_loss: Validation log loss by binary property.
        own_units: Units of the properties that it defines, without binary ones.
        own_labels: What the labels of the properties that it defines are, as text: errors of two runs compare where it
            is equal.
        val_labels: Validation labels by property.
        data: Fingerprint of data and split: validation errors compare where it is equal.
        source: Name or path of its data set.
        crystals: Crystals in its three parts.
        split: How its crystals were divided: ``random``, ``composition``, ...
        division: Digest of data set and division whatever the properties; None where the data are not known.
        seed: Its seed.
        lr: Peak learning rate.
        data_address: Address of the content of its data set, ``sha256:...``; empty where it has none.
        size: Size of its files, bytes.
        has_model: Whether it has a ``best.pt``.
    """

    prefix: str
    run_id: str
    algorithm: Algorithm
    mode: Mode
    status: RunStatus
    started: AwareDatetime
    ended: AwareDatetime | None = None
    properties: tuple[str, ...]
    score: float | None = None
    best_epoch: Counted | None = None
    epochs: Counted | None = None
    val_mae: dict[str, float] = Field(default_factory=dict)
    val_log_loss: dict[str, float] = Field(default_factory=dict)
    own_units: dict[str, str] = Field(default_factory=dict)
    own_labels: dict[str, str] = Field(default_factory=dict)
    val_labels: dict[str, Counted] = Field(default_factory=dict)
    data: str | None = None
    source: str | None = None
    crystals: Counted | None = None
    split: str | None = None
    division: str | None = None
    seed: int | None = None
    lr: float | None = None
    data_address: str = ""
    size: int = 0
    has_model: bool = False

    @classmethod
    def from_manifest(cls, prefix: str, content: bytes) -> Self:
        """Summarise a manifest; raises pydantic's ``ValidationError`` when it is damaged."""
        found = _Manifest.model_validate_json(content)
        return cls(
            prefix=prefix,
            started=found.attempts[0].start,
            ended=found.attempts[-1].end,
            val_mae={row.key: row.mae for row in found.val if row.mae is not None},
            val_log_loss={row.key: row.log_loss for row in found.val if row.log_loss is not None},
            own_units={row.key: row.unit for row in found.val if row.key not in KEYS and not row.is_binary},
            own_labels=found.config.own_labels(),
            val_labels={row.key: row.count for row in found.val},
            data=found.data.fingerprint if found.data else None,
            crystals=found.data.used if found.data else None,
            division=found.division(),
            data_address=found.data.address if found.data else "",
            size=sum(artifact.bytes for artifact in found.artifacts),
            has_model=any(artifact.path == BEST for artifact in found.artifacts),
            **{name: getattr(found, name) for name in _SAME},
            **found.config.described(),
        )

    @classmethod
    def from_config(cls, prefix: str, content: bytes) -> Self:
        """Summarise the recorded configuration of a run without a manifest."""
        found = _Recorded.model_validate_json(content)
        return cls(
            prefix=prefix,
            run_id=found.run_id,
            algorithm=found.config.algorithm,
            mode=found.config.mode,
            status="unfinished",
            started=found.created,
            properties=found.config.properties,
            **found.config.described(),
            data_address=found.config.data_address(),
        )

    @property
    def val_errors(self) -> dict[str, float]:
        """Validation error by property: the MAE, or the log loss of a binary one."""
        return {**self.val_mae, **self.val_log_loss}

    @property
    def state(self) -> str:
        """Its status in words: of a pruned run with the epoch."""
        return f"pruned at epoch {self.epochs}" if self.status == "pruned" else self.status

    @property
    def family(self) -> str:
        """Its family."""
        return self.prefix.partition("/")[0]

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.prefix.partition("/")[2]


AnyRun = TypeVar("AnyRun", bound=RunSummary)


class _Part(BaseModel):
    """Part of a file: other fields are ignored, which makes ten thousand files quick to read."""

    model_config = ConfigDict(extra="ignore")


class _Data(_Part):
    fingerprint: str
    split_fingerprint: str = ""
    read: Counted = 0
    rejected: Counted = 0
    used: Counted | None = None
    address: str = ""


class _Training(_Part):
    lr: float | None = None


class _Settings(_Part):
    data: dict[str, JsonValue] = Field(default_factory=dict)
    seed: int | None = None
    training: _Training = _Training()

    def data_address(self) -> str:
        """Return the address of the data's content, where the run was given that."""
        source = self.data.get("source")
        return source if isinstance(source, str) and is_content(source) else ""

    def own_labels(self) -> dict[str, str]:
        """Return what decides on the labels of the properties that the run defines, as JSON by key."""
        definitions = self.data.get("own_properties")
        rows = definitions if isinstance(definitions, list) else []
        return {
            str(row["key"]): json.dumps({name: row[name] for name in _OF_LABELS if name in row}, sort_keys=True)
            for row in rows
            if isinstance(row, dict) and "key" in row
        }

    def described(self) -> dict[str, str | int | float | None]:
        """Return what lists show of the settings."""
        source, group = self.data.get("source"), self.data.get("group_by")
        split = self.data.get("split") or ("random" if group == "none" else group)
        return {
            "source": source if isinstance(source, str) else None,
            "split": split if isinstance(split, str) else None,
            "seed": self.seed,
            "lr": self.training.lr,
        }


class _Manifest(_Part):
    run_id: str
    algorithm: Algorithm
    mode: Mode
    status: Status
    attempts: tuple[Attempt, ...]
    properties: tuple[str, ...]
    score: float | None = None
    best_epoch: Counted | None = None
    epochs: Counted | None = None
    val: tuple[PropertyMetrics, ...] = ()
    data: _Data | None = None
    config: _Settings = _Settings()
    artifacts: tuple[Artifact, ...] = ()

    def division(self) -> str | None:
        """Return a digest that runs of different properties share if crystals are in the same parts for both."""
        if self.data is None:
            return None
        settings = {name: value for name, value in self.config.data.items() if name not in _NO_DIVISION}
        if self.config.described()["split"] == RANDOM:
            settings.pop("own_properties", None)  # other splits bring sparse labels into every part
        name = self.data.address or PurePath(str(self.config.data.get("source"))).name
        # A part of the crystals is chosen by their labels, and twins are those of labelled crystals.
        is_chosen = settings.get("max_samples") or settings.get("drop_twins")
        chosen = self.data.split_fingerprint if is_chosen else ""
        text = json.dumps([name, self.data.read, self.data.rejected, settings, chosen], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Config(_Settings):
    algorithm: Algorithm
    mode: Mode
    properties: tuple[str, ...]


class _Recorded(_Part):
    run_id: str
    created: AwareDatetime
    config: _Config


_SAME = ("run_id", "algorithm", "mode", "status", "properties", "score", "best_epoch", "epochs")
_NO_DIVISION = ("source", "graph", "limits", "per_volume")
"""Settings of the data that decide on no crystal's part."""
_OF_LABELS = ("column", "unit", "task", "lower", "upper")
"""Fields of a definition that decide which labels a property has."""
