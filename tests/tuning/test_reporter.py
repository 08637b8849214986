"""What a trial tells its study."""

from phase2.runs.records.history import EpochRow
from phase2.training.callbacks.base import EpochEnd
from phase2.training.interruption import StopRequest
from phase2.tuning.reporter import TrialReporter, TrialStop
from phase2.tuning.study import Study


def epoch_end(val_mae):
    row = EpochRow(
        epoch=1, step=4, lr=1e-3, train_loss=1.0, val_loss=1.0, val_score=0.5, val_mae=val_mae, seconds=1.0,
        structures_per_second=10.0, data_wait=0.0,
    )  # fmt: skip
    return EpochEnd(row, best=True, epochs=4)


def reporter_of(store, define):
    study = Study(store, define(minimise="band_gap", all_properties=True).save(store))
    study.begin(0)
    return study, TrialReporter(study, 0, TrialStop(StopRequest()))


def test_the_validation_error_of_the_property_is_reported(store, define):
    study, reporter = reporter_of(store, define)
    reporter.on_epoch_end(epoch_end({"formation_energy": 0.1, "band_gap": 0.4}))
    assert study.trials()[0].score == 0.4


def test_a_property_that_was_left_out_for_want_of_labels_is_not_reported(store, define):
    study, reporter = reporter_of(store, define)
    reporter.on_epoch_end(epoch_end({"formation_energy": 0.1}))
    assert study.trials()[0].score is None
    assert not reporter.is_pruned
