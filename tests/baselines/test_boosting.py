"""Gradient boosting: it learns, it is repeatable, and it sees training labels alone."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from phase2.baselines.boosting import MIN_LABELS, predict_by_boosting, settings_for
from phase2.baselines.fitting import mean_absolute_error
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset

predict = partial(predict_by_boosting, settings={"max_iter": 30})


@pytest.fixture(scope="module")
def fitted(dataset):
    return predict(dataset, seed=1)


def errors(predicted, labels):
    return [mean_absolute_error(predicted[:, k], labels[:, k]) for k in range(labels.shape[1])]


def test_it_beats_the_median_on_crystals_it_has_not_seen(dataset, fitted):
    for predicted, part in ((fitted.val, dataset.split.val), (fitted.test, dataset.split.test)):
        labels = dataset.targets[part]
        assert predicted.shape == labels.shape
        boosting = np.array(errors(predicted, labels))
        median = np.array([mean_absolute_error(m, labels[:, k]) for k, m in enumerate(dataset.scaler.baseline())])
        assert (boosting / median).mean() < 0.9


def test_equal_seeds_give_equal_predictions(dataset, fitted):
    again = predict(dataset, seed=1)
    np.testing.assert_array_equal(again.val, fitted.val)
    np.testing.assert_array_equal(again.test, fitted.test)
    assert not np.array_equal(predict(dataset, seed=2).val, fitted.val)


def test_labels_of_validation_and_test_change_no_prediction(dataset, fitted):
    targets = dataset.targets.copy()
    held_out = np.concatenate([dataset.split.val, dataset.split.test])
    targets[held_out] = 1e3 - targets[held_out]
    other = predict(replace(dataset, targets=targets), seed=1)
    np.testing.assert_array_equal(other.val, fitted.val)
    np.testing.assert_array_equal(other.test, fitted.test)


def test_a_training_label_changes_predictions(dataset, fitted):
    """Else the test above would prove nothing."""
    targets = dataset.targets.copy()
    targets[dataset.split.train] *= 2
    assert not np.array_equal(predict(replace(dataset, targets=targets), seed=1).val, fitted.val)


def test_outliers_are_left_out_as_for_the_network(dataset, fitted):
    """A label beyond the scaler's bounds is not learned from."""
    targets = dataset.targets.copy()
    row = dataset.split.train[np.flatnonzero(~np.isnan(targets[dataset.split.train, 2]))[0]]
    targets[row, 2] = 1e9
    bounded = replace(dataset.scaler, upper=np.full(4, 10.0))  # of log1p
    without = targets.copy()
    without[row, 2] = np.nan
    one, other = (predict(replace(dataset, targets=t, scaler=bounded), seed=1) for t in (targets, without))
    np.testing.assert_array_equal(one.val, other.val)
    assert one.train_labels[2] == fitted.train_labels[2] - 1


def test_properties_with_few_labels_have_no_predictions(dataset):
    targets = dataset.targets.copy()
    labelled = dataset.split.train[np.flatnonzero(~np.isnan(targets[dataset.split.train, 1]))]
    targets[labelled[MIN_LABELS - 1 :], 1] = np.nan
    few = predict(replace(dataset, targets=targets), seed=1)
    assert few.train_labels[1] == MIN_LABELS - 1
    assert np.isnan(few.val[:, 1]).all()
    assert np.isfinite(few.val[:, [0, 2, 3]]).all()
    targets[labelled[MIN_LABELS - 1], 1] = dataset.targets[labelled[MIN_LABELS - 1], 1]
    assert np.isfinite(predict(replace(dataset, targets=targets), seed=1).val).all()


def test_it_stops_between_two_properties(dataset):
    begun = []

    def stop_at_the_second():
        begun.append(1)
        if len(begun) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(dataset, seed=1, before_each=stop_at_the_second)
    assert len(begun) == 2


@pytest.mark.parametrize(
    ("predicted", "labels", "error"),
    [(1.0, [1.0, 3.0, np.nan], 1.0), (0.0, [np.nan], None), (0.0, [], None), (np.inf, [1.0], None)],
)
def test_mean_absolute_error(predicted, labels, error):
    assert mean_absolute_error(predicted, np.array(labels, dtype=np.float64)) == error


@pytest.mark.parametrize(("labels", "leaves"), [(20, 15), (1_999, 15), (2_000, 31), (9_999, 31), (10_000, 127)])
def test_more_labels_allow_larger_trees(labels, leaves):
    settings = settings_for(labels)
    assert settings["max_leaf_nodes"] == leaves
    assert settings["early_stopping"] is False


def test_it_learns_alike_whatever_form_the_network_learns():
    """Errors of one run's baseline can be compared with those of another run on the same crystals."""
    keys = ["bulk_modulus", "dielectric"]
    forms = [(), ("bulk_modulus", "dielectric")]
    plain, product = (
        predict(CrystalPropertyDataset.load(DataConfig(max_samples=600, per_volume=form), keys), seed=1)
        for form in forms
    )
    np.testing.assert_array_equal(plain.val, product.val)
    np.testing.assert_array_equal(plain.test, product.test)
