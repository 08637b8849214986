"""What the report of a run is made of, read from its files; what is missing is said, and costs its own part alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError, RequestError
from phase2.properties import Property
from phase2.runs.layout import CONFIG, MANIFEST
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.crystals import RunCrystals
from phase2.runs.records.history import EpochRow, parse_history
from phase2.runs.records.manifest import VERSION, RunManifest
from phase2.runs.records.predictions import PartPredictions, parse_predictions
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.checkpoints import attempts_key
from phase2.runs.report.html.files import RunFiles
from phase2.storage.records import parse_record, parse_rows

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, eq=False)
class RunInput:
    """One run, as far as its files go.

    Attributes:
        where: Path or address of the run.
        manifest: Its manifest; None where it has none.
        recorded: Its recorded configuration; None where that is missing.
        attempts: The processes that trained it.
        history: One row per epoch; empty where it is missing.
        val: Predictions for the validation part.
        test: Predictions for the test part.
        crystals: What was recorded of its crystals.
        notes: What is missing, in words.
        manifest_text: The manifest as JSON; empty without one.
    """

    where: str
    manifest: RunManifest | None
    recorded: RecordedConfig | None
    attempts: tuple[Attempt, ...] = ()
    history: tuple[EpochRow, ...] = ()
    val: PartPredictions | None = None
    test: PartPredictions | None = None
    crystals: RunCrystals | None = None
    notes: tuple[str, ...] = ()
    manifest_text: str = field(default="", repr=False)

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self._either.run_id

    @property
    def config(self) -> RunConfig:
        """Its configuration."""
        return self._either.config

    @property
    def origins(self) -> dict[str, str]:
        """Where each value of the configuration comes from, by dotted path."""
        return self._either.origins

    @property
    def command(self) -> tuple[str, ...]:
        """The command line that repeats it."""
        return self._either.command

    @property
    def status(self) -> str:
        """``finished``, ``failed``, ``interrupted``, ``killed``, ``running``, or ``unfinished`` where nobody knows."""
        if self.manifest is not None:
            return self.manifest.status
        return self.attempts[-1].outcome if self.attempts else "unfinished"

    @property
    def properties(self) -> tuple[Property, ...]:
        """Properties that it was trained on, or asked for."""
        keys = self.manifest.properties if self.manifest else self.config.properties
        return tuple(map(self.config.get_property, keys))

    @property
    def _either(self) -> RunManifest | RecordedConfig:
        found = self.manifest or self.recorded
        assert found is not None  # noqa: S101 - read_run refuses a run without both
        return found


def read_run(files: RunFiles, *, draft: RunManifest | None = None) -> RunInput:
    """Read a run.

    Args:
        files: Its files.
        draft: Its manifest before it is written; None reads it.

    Raises:
        RequestError: There is no run.
        ModelFileError: The manifest, or the configuration of a run without one, is damaged.
    """
    content = None if draft else files.read(MANIFEST)
    manifest = draft or (_manifest(files, content) if content else None)
    recorded = _recorded(files, needed=manifest is None)
    if manifest is None and recorded is None:
        raise RequestError(
            f"{files.where} is no run.",
            why=f"It has neither {MANIFEST} nor {CONFIG}.",
            fix="Name the folder of a run, or a run: 'phase2 runs list' shows them.",
        )
    if manifest is None:
        files.notes.append("The run has no manifest: it is not finished, and nothing was measured on its test part.")
    reader = _Reader(files, manifest)
    return RunInput(
        where=files.where,
        manifest=manifest,
        recorded=recorded,
        attempts=manifest.attempts if manifest else reader.attempts(),
        history=reader.history(),
        val=reader.predictions("val"),
        test=reader.predictions("test"),
        crystals=reader.crystals(),
        notes=tuple(files.notes),
        manifest_text=_shown(manifest),
    )


@dataclass(frozen=True)
class _Reader:
    """Reads the files that a report can do without."""

    files: RunFiles
    manifest: RunManifest | None

    def attempts(self) -> tuple[Attempt, ...]:
        # A bucket has those of an unfinished run beside its checkpoints.
        for name in ("attempts.json", attempts_key("").removeprefix("/")):
            if found := self._parse(name, partial(parse_rows, kind=Attempt, where=name)):
                *before, last = found
                gone = last.outcome == "running" and self.files.has_process is False
                return (*before, last.model_copy(update={"outcome": "killed"}) if gone else last)
        return ()

    def history(self) -> tuple[EpochRow, ...]:
        parse = partial(parse_history, where="history.json")
        return self._parse("history.json", parse, without="learning curve") or ()

    def predictions(self, part: str) -> PartPredictions | None:
        if self.manifest is None or self.manifest.status != "finished":
            return None
        name, config = f"predictions_{part}.csv", self.manifest.config
        properties = tuple(map(config.get_property, self.manifest.properties))

        def parse(content: bytes) -> PartPredictions:
            return parse_predictions(content.decode(), properties, where=name)

        found = self._parse(name, parse, without=f"plot of the {part} crystals")
        found = None if found is None else found.without_binary()
        return found if found is not None and found.properties else None

    def crystals(self) -> RunCrystals | None:
        if self.manifest is None or self.manifest.status != "finished":
            return None
        without = "crystal system, size, distance and structure of the crystals (phase2 0.1.0 did not record them)"
        parse = partial(parse_record, kind=RunCrystals, where="crystals.json")
        return self._parse("crystals.json", parse, without=without)

    def _parse(self, name: str, parse: Callable[[bytes], Parsed], *, without: str = "") -> Parsed | None:
        listed = {one.path: one for one in self.manifest.artifacts} if self.manifest else None
        content = self.files.read(name, listed, without=without)
        if content is None:
            return None
        try:
            return parse(content)
        except (ModelFileError, UnicodeDecodeError) as error:
            self.files.notes.append(f"{name} cannot be read, and was left out: {error}")
            return None


def _manifest(files: RunFiles, content: bytes) -> RunManifest:
    return parse_record(content, RunManifest, where=f"{files.where}/{MANIFEST}", version=VERSION)


def _recorded(files: RunFiles, *, needed: bool) -> RecordedConfig | None:
    content = files.read(CONFIG)
    if content is None:
        return None
    try:
        return parse_record(content, RecordedConfig, where=f"{files.where}/{CONFIG}")
    except ModelFileError:
        if needed:
            raise
        files.notes.append(f"{CONFIG} cannot be read; the manifest has the configuration, too.")
        return None


def _shown(manifest: RunManifest | None) -> str:
    return "" if manifest is None else json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
