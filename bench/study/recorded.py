"""Results of a study that are kept with the code, so that its tables do not need the store: ``bench/results``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bench.study.rows import ANY_SOURCE, StudyRun
from phase2.config.resolve import resolve
from phase2.config.schema import RunConfig
from phase2.errors import DataError, RequestError
from phase2.runs.identity import run_id_of
from phase2.storage.disk.atomic import write_text
from phase2.storage.records import Counted, Record

FOLDER = Path(__file__).parents[1] / "results"
Key = tuple[str, str, int]
"""A run of a study: variant, target, seed."""


class Measurement(Record):
    """What was measured of a run, a line of the file.

    Attributes:
        run: Id of the run, which names study, variant, target, epochs and seed.
        settings: SHA-256 of its configuration without the address of the data, hexadecimal.
        data: Name of the data set, or of the file, which holds a digest where a study made it.
        val: Validation MAE by property, in the properties' units.
        heldout: MAE on the test part or on the part that a published split holds out; null until they are looked at.
        seconds: Of all epochs together.
        phase2: Version.
        commit: Commit of the code; null where it is not known.
        changed: Whether the checkout differed from the commit.
        machine: Model of the GPU, or else of the processor.
        threads: Threads of the run; null where it is not known.
    """

    run: str
    settings: str
    data: str
    val: dict[str, float]
    heldout: dict[str, float] | None = None
    seconds: float
    phase2: str
    commit: str | None
    changed: bool
    machine: str
    threads: Counted | None


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A finished run of a study.

    Attributes:
        run: What was declared.
        measured: What was measured.
    """

    run: StudyRun
    measured: Measurement

    @property
    def key(self) -> Key:
        """Variant, target and seed."""
        return self.run.row.variant.name, self.run.row.target, self.run.seed

    def mae(self, part: str) -> dict[str, float]:
        """Return the errors by property on ``val``, or else on the crystals that decided nothing."""
        return self.measured.val if part == "val" else self.measured.heldout or {}


def portable(config: RunConfig) -> RunConfig:
    """Name the data by their file name, which holds a digest where a study made the file, and weights by their run."""
    return _named(config, Path(config.data.source).name)


def settings_digest(config: RunConfig) -> str:
    """Return the SHA-256 of a configuration without its data set and the content of its source, hexadecimal."""
    return hashlib.sha256(_named(config, "").digest.encode()).hexdigest()


def _named(config: RunConfig, source: str) -> RunConfig:
    update: dict[str, object] = {"data": config.data.model_copy(update={"source": source})}
    if config.fine_tuning is not None:
        named = {"source": run_id_of(config.fine_tuning.source), "sha256": ANY_SOURCE.value}
        update["fine_tuning"] = config.fine_tuning.model_copy(update=named)
    return config.model_copy(update=update)


def recorded_file(study: str) -> Path:
    """Return the file with the results of a study."""
    return FOLDER / f"study-{study}.jsonl"


def recorded_results(path: Path, runs: Iterable[StudyRun]) -> list[StudyResult]:
    """Return those of the runs whose results are in a file; none where there is no file.

    Raises:
        DataError: A line of the file is damaged, or a run was trained with other settings than those declared.
    """
    found = {one.run: one for one in _read(path)}
    results = [StudyResult(run, found[run.run_id]) for run in runs if run.run_id in found]
    for one in results:
        if one.measured.settings != settings_digest(resolve(one.run.request()).config):
            raise DataError(
                f"The result of {one.measured.run} in {path} is not of the run that the study declares.",
                why="It was trained with other settings.",
                fix="Remove the line, and train and record the run again.",
            )
    return results


def record(path: Path, results: Sequence[StudyResult]) -> int:
    """Write results into a file, in place of those of the same runs; return the number of runs in it.

    Errors on held-out crystals that were recorded before stay where the same training is recorded again without them.

    Raises:
        DataError: A line of the file is damaged.
        RequestError: The file has results of other data.
    """
    lines = {one.run: one for one in _read(path)}
    for result in results:
        new, old = result.measured, lines.get(result.measured.run)
        if new.heldout is None and old is not None and old.val == new.val:
            new = new.model_copy(update={"heldout": old.heldout})
        lines[new.run] = new
    if len(names := sorted({one.data for one in lines.values()})) > 1:
        raise RequestError(
            f"{path} would have results of different data: {' and '.join(names)}.",
            why="Their errors do not compare.",
            fix="Name the file that the others were trained on with --data.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(f"{lines[name].model_dump_json()}\n" for name in sorted(lines)))
    return len(lines)


def _read(path: Path) -> list[Measurement]:
    if not path.exists():
        return []
    try:
        return [Measurement.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (ValidationError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is damaged.", why=f"{error}.", fix="Restore it from the repository, or remove the line."
        ) from error
