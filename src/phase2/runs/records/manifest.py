"""The manifest of a run (``run_manifest.json``): written last, so a run is finished when its manifest says so."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import model_validator

from phase2.config.levels import Algorithm, Level, Mode
from phase2.config.schema import RunConfig
from phase2.machine.code import Code
from phase2.machine.hardware import Hardware
from phase2.machine.place import Place
from phase2.runs.artifacts import Artifact, describe_files
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import Attempt, Status
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.execution import Execution
from phase2.runs.records.intervals import PropertyIntervals
from phase2.runs.records.lineage import Lineage
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.records.splits import Leakage, SplitFacts
from phase2.storage.records import Counted, Record, read_record, write_record

VERSION = 1


class DataFacts(Record):
    """The data of a run.

    Attributes:
        source: Name of the data set, or its path as given.
        address: Address of its content, ``sha256:...``: once pushed, it is found by that; empty for data sets that come
            with phase2, and for runs of 0.1.0.
        fingerprint: SHA-256 of crystals, labels and split: equal fingerprints mean equal training data.
        split_fingerprint: SHA-256 of the assignment of crystals to parts.
        read: Records of the source.
        rejected: Records that are not valid crystals.
        unlabelled: Crystals without a label for any requested property.
        used: Crystals in the three parts.
        train: Crystals in the training part.
        val: Crystals in the validation part.
        test: Crystals in the test part.
        labels: Number of labels by part (``train``, ``val``, ``test``) and property.
        remarks: Remarks on labels that are hardly right.
        split: How the crystals were divided; null for a run of version 0.1.0.
    """

    source: str
    address: str = ""
    fingerprint: str
    split_fingerprint: str
    read: Counted
    rejected: Counted
    unlabelled: Counted
    used: Counted
    train: Counted
    val: Counted
    test: Counted
    labels: dict[str, dict[str, Counted]]
    remarks: tuple[str, ...] = ()
    split: SplitFacts | None = None


class RunManifest(Record):
    """The complete record of a run.

    Attributes:
        schema_version: Format of this file.
        run_id: Id of the run.
        family: Folder of the run's family.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        level: The level; null in competition.
        all_properties: Whether all properties with labels were requested.
        properties: Trained properties, in the order of the model's outputs.
        left_out: Requested properties without a label to train on.
        status: How the run ended.
        command: The command line that repeats the request.
        config: Everything that determines the run's numbers.
        config_digest: SHA-256 of ``config``.
        origins: Where each value of ``config`` comes from, by dotted path.
        lineage: What the run started from; null for random weights.
        data: The data; null where the run ended before they were read.
        code: The code.
        hardware: The hardware of the last attempt.
        place: Where the last attempt ran.
        attempts: The processes that trained the run, in order.
        best_epoch: Epoch of ``best.pt``, counted from 1; null where the run did not finish.
        epochs: Epochs trained; null where the run did not finish.
        score: Validation score of the best epoch; lower is better, 1 is the median baseline.
        mean_epoch_seconds: Mean duration of an epoch; null where the run did not finish.
        val: Errors on the validation part, by property.
        test: Errors on the test part, by property.
        baselines: Errors of the baselines, by property; empty where they were not computed.
        intervals: How well intervals hold on the test part, by property.
        leakage: Test crystals that are nearly in the training part; null where that was not measured.
        execution: How the training was computed; null where that was not recorded.
        artifacts: All other files of the run.
    """

    schema_version: Counted = VERSION
    run_id: str
    family: str
    algorithm: Algorithm
    mode: Mode
    level: Level | None
    all_properties: bool
    properties: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    status: Status
    command: tuple[str, ...]
    config: RunConfig
    config_digest: str
    origins: dict[str, str]
    lineage: Lineage | None = None
    data: DataFacts | None = None
    code: Code
    hardware: Hardware
    place: Place
    attempts: tuple[Attempt, ...]
    best_epoch: Counted | None = None
    epochs: Counted | None = None
    score: float | None = None
    mean_epoch_seconds: float | None = None
    val: tuple[PropertyMetrics, ...] = ()
    test: tuple[PropertyMetrics, ...] = ()
    baselines: tuple[PropertyBaseline, ...] = ()
    intervals: tuple[PropertyIntervals, ...] = ()
    leakage: Leakage | None = None
    execution: Execution | None = None
    artifacts: tuple[Artifact, ...] = ()

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if [result.key for result in self.val] != [result.key for result in self.test]:
            raise ValueError("the parts val and test have other properties")
        return self

    @classmethod
    def draft(
        cls,
        recorded: RecordedConfig,
        *,
        status: Status,
        attempts: tuple[Attempt, ...],
        code: Code,
        hardware: Hardware,
        place: Place,
        data: DataFacts | None = None,
        results: Results | None = None,
    ) -> Self:
        """Make a manifest that lists no files yet; the report pages are written from it."""
        config = recorded.config
        from_results = {} if results is None else {name: getattr(results, name) for name in _FROM_RESULTS}
        return cls(
            run_id=recorded.run_id,
            family=config.family,
            algorithm=config.algorithm,
            mode=config.mode,
            level=None if config.mode == "competition" else config.mode,
            all_properties=config.all_properties,
            status=status,
            command=recorded.command,
            config=config,
            config_digest=recorded.digest,
            origins=recorded.origins,
            lineage=recorded.lineage,
            data=data,
            code=code,
            hardware=hardware,
            place=place,
            attempts=attempts,
            **({"properties": config.properties} | from_results),
        )

    def seal(self, run: RunDirectory) -> Self:
        """List the files of the run with their checksums, and write the manifest: the last step of a run."""
        sealed = self.model_copy(update={"artifacts": describe_files(run.path)})
        write_record(run.manifest, sealed)
        return sealed


_FROM_RESULTS = (
    "properties",
    "left_out",
    "best_epoch",
    "epochs",
    "score",
    "mean_epoch_seconds",
    "val",
    "test",
    "baselines",
    "intervals",
    "leakage",
    "execution",
)


def read_manifest(path: Path) -> RunManifest:
    """Read a manifest.

    Raises:
        ModelFileError: It is missing, damaged, or written by a newer phase2.
    """
    return read_record(path, RunManifest, version=VERSION)
