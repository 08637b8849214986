"""Finalizing a run: results, predictions, figures, pages, and the manifest that seals it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.labels import labels_as_given
from phase2.machine.code import detect_code
from phase2.machine.hardware import detect_hardware
from phase2.machine.place import detect_place
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import end_attempt
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.manifest import DataFacts, RunManifest
from phase2.runs.records.predictions import PartPredictions, write_predictions
from phase2.runs.records.results import Results
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.records.splits import MOST_IDS, SplitFacts
from phase2.runs.report.figures import draw_figures
from phase2.runs.report.handoff import handoff
from phase2.runs.report.html.page import write_report
from phase2.runs.report.model_card import model_card
from phase2.storage.disk.atomic import write_text
from phase2.storage.records import write_record
from phase2.training.result import TrainingResult
from phase2.training.run.crystals import record_crystals
from phase2.training.run.leakage import measure_leakage


def finalize_run(
    run: RunDirectory,
    recorded: RecordedConfig,
    dataset: CrystalPropertyDataset,
    result: TrainingResult,
    *,
    device: torch.device,
    notify: Callable[[str], None],
    baselines: tuple[PropertyBaseline, ...] = (),
    processes: int = 1,
) -> RunManifest:
    """Write all files of a finished run, the manifest last."""
    results = _results(recorded, dataset, result).model_copy(update={"baselines": baselines})
    test = _predictions(dataset, dataset.split.test, result.test)
    write_predictions(run.predictions_val, _predictions(dataset, dataset.split.val, result.val))
    write_predictions(run.predictions_test, test)
    write_record(run.results, results)
    record_crystals(run, dataset, result, notify)
    missing = draw_figures(run, test, result.history, results)
    if missing:
        notify(missing)
    draft = RunManifest.draft(
        recorded,
        status="finished",
        attempts=end_attempt(run, "finished"),
        code=detect_code(),
        hardware=detect_hardware(
            gpu=torch.cuda.get_device_name(device) if device.type == "cuda" else None, processes=processes
        ),
        place=detect_place(),
        data=_data_facts(recorded, dataset),
        results=results,
    )
    run.previous_checkpoint.unlink(missing_ok=True)
    write_text(run.handoff, handoff(draft, str(run.path)))
    write_text(run.model_card, model_card(draft))
    write_report(run, draft, notify)
    return draft.seal(run)


def _results(recorded: RecordedConfig, dataset: CrystalPropertyDataset, result: TrainingResult) -> Results:
    config, keys = recorded.config, tuple(p.key for p in dataset.properties)
    return Results(
        run_id=recorded.run_id,
        algorithm=config.algorithm,
        mode=config.mode,
        properties=keys,
        left_out=tuple(key for key in config.properties if key not in keys),
        best_epoch=result.trained.epoch,
        epochs=len(result.history),
        score=result.trained.score,
        train_labels=dataset.label_counts()["train"],
        mean_epoch_seconds=float(np.mean([row.seconds for row in result.history])),
        val=result.val_metrics,
        test=result.test_metrics,
        intervals=result.intervals,
        leakage=measure_leakage(dataset, result.test, config.data.graph.cutoff),
        execution=result.execution,
    )


def _predictions(
    dataset: CrystalPropertyDataset, index: NDArray[np.int64], predicted: NDArray[np.float64]
) -> PartPredictions:
    return PartPredictions(
        properties=dataset.properties,
        ids=dataset.graphs.ids[index].tolist(),
        formulas=dataset.graphs.formulas[index].tolist(),
        reference=labels_as_given(dataset.targets[index]),
        predicted=predicted,
    )


def _data_facts(recorded: RecordedConfig, dataset: CrystalPropertyDataset) -> DataFacts:
    split = dataset.split
    sizes = {"train": len(split.train), "val": len(split.val), "test": len(split.test)}
    return DataFacts(
        source=recorded.config.data.source,
        address=dataset.address,
        fingerprint=dataset.fingerprint,
        split_fingerprint=split.fingerprint(dataset.graphs.ids),
        read=len(dataset.graphs) + dataset.rejected,
        rejected=dataset.rejected,
        unlabelled=dataset.unlabelled,
        used=sum(sizes.values()),
        labels=dataset.label_counts(),
        remarks=dataset.label_remarks(),
        split=_split_facts(recorded, dataset),
        **sizes,
    )


def _split_facts(recorded: RecordedConfig, dataset: CrystalPropertyDataset) -> SplitFacts:
    config, assigned = recorded.config.data, dataset.assigned
    dropped_val, dropped_test = dataset.dropped_twins or (None, None)
    return SplitFacts(
        name=config.split_name,
        seed=config.split_seed,
        fractions=config.fractions,
        file_sha256=assigned.file_sha256,
        missing=len(assigned.missing),
        missing_ids=assigned.missing[:MOST_IDS],
        outside=assigned.outside,
        dropped_val=dropped_val,
        dropped_test=dropped_test,
    )
