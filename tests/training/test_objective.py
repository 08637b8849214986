"""Laws of the masked loss: a missing label has no influence."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phase2.training.balancing import make_balancer
from phase2.training.objective import LabelWeights, property_losses

KINDS = ("huber", "l1")
BALANCERS = ("equal", "uncertainty", "famo")

numbers = st.floats(-5, 5, width=32)
batches = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        arrays(np.float32, (n, 3), elements=numbers),
        arrays(np.float32, (n, 3), elements=numbers | st.just(float("nan"))),
    )
)


def loss_and_gradient(predictions, targets, kind, balance="equal"):
    predictions = torch.tensor(predictions, requires_grad=True)
    loss = make_balancer(balance, targets.shape[1])(property_losses(predictions, torch.tensor(targets), kind))
    loss.backward()
    return loss.item(), predictions.grad.numpy()


@given(batches, st.sampled_from(KINDS), st.sampled_from(BALANCERS))
def test_missing_labels_have_no_influence(batch, kind, balance):
    predictions, targets = batch
    missing = np.isnan(targets)
    loss, gradient = loss_and_gradient(predictions, targets, kind, balance)
    assert np.isfinite(loss)
    assert (gradient[missing] == 0).all()
    again = loss_and_gradient(np.where(missing, 1e30, predictions).astype(np.float32), targets, kind, balance)
    assert again[0] == loss
    np.testing.assert_array_equal(again[1], gradient)


@given(batches, st.sampled_from(KINDS))
def test_equals_the_loss_of_the_labelled_rows_alone(batch, kind):
    predictions, targets = batch
    column, labels = predictions[:, :1], targets[:, :1]
    there = ~np.isnan(labels[:, 0])
    if not there.any():
        return
    loss, gradient = loss_and_gradient(column, labels, kind)
    alone, gradient_alone = loss_and_gradient(column[there], labels[there], kind)
    np.testing.assert_allclose(loss, alone, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gradient[there], gradient_alone, rtol=1e-6, atol=1e-7)


@given(batches, st.sampled_from(KINDS), st.sampled_from(BALANCERS))
def test_a_property_without_labels_changes_nothing(batch, kind, balance):
    predictions, targets = batch
    targets = targets.copy()
    targets[:, 1] = np.nan
    loss, gradient = loss_and_gradient(predictions, targets, kind, balance)
    fewer, gradient_fewer = loss_and_gradient(predictions[:, ::2], targets[:, ::2], kind, balance)
    np.testing.assert_allclose(loss, fewer, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient[:, ::2], gradient_fewer, rtol=1e-5, atol=1e-6)


def test_every_property_has_the_same_weight_however_many_labels_it_has():
    targets = torch.zeros(10, 2)
    targets[1:, 1] = torch.nan
    losses = property_losses(torch.tensor([[0.5, 0.5]]).expand(10, 2), targets, "l1")
    assert losses.values.tolist() == [0.5, 0.5]
    assert losses.mean().item() == 0.5


@pytest.mark.parametrize(("kind", "expected"), [("huber", (0.5 * 0.25 + 2.5) / 2), ("l1", (0.5 + 3) / 2)])
def test_values(kind, expected):
    losses = property_losses(torch.tensor([[0.5], [3.0]]), torch.zeros(2, 1), kind)
    assert losses.values.item() == pytest.approx(expected)


@pytest.mark.parametrize("balance", BALANCERS)
def test_a_batch_without_labels_has_no_gradient(balance):
    loss, gradient = loss_and_gradient(np.ones((4, 3), np.float32), np.full((4, 3), np.nan, np.float32), "l1", balance)
    assert loss == 0
    assert (gradient == 0).all()


def constant_weights(exponent, n_properties=3):
    labels = torch.zeros(100, n_properties)
    labels[10:, 1] = torch.nan  # 100, 10 and 100 labels
    return LabelWeights.from_labels(labels, batches=10, exponent=exponent)


def weighted_gradient(predictions, targets, weights, balance="equal"):
    predictions = torch.tensor(predictions, requires_grad=True)
    losses = property_losses(predictions, torch.tensor(targets), "l1", weights)
    make_balancer(balance, targets.shape[1])(losses).backward()
    return predictions.grad.numpy()


@given(batches, st.integers(0, 5), st.sampled_from(("equal", "uncertainty")))
def test_gradients_do_not_depend_on_unlabelled_crystals_in_the_batch(batch, others, balance):
    predictions, targets = batch
    more = np.concatenate([predictions, np.ones((others, 3), np.float32)])
    unlabelled = np.concatenate([targets, np.full((others, 3), np.nan, np.float32)])
    weights = constant_weights(0.5)
    gradient = weighted_gradient(more, unlabelled, weights, balance)
    np.testing.assert_array_equal(gradient[: len(targets)], weighted_gradient(predictions, targets, weights, balance))
    assert (gradient[len(targets) :] == 0).all()


@given(batches)
def test_the_gradient_of_a_label_does_not_depend_on_the_other_labels(batch):
    predictions, targets = batch
    weights = constant_weights(0.5)
    gradient = weighted_gradient(predictions, targets, weights)
    for row in range(len(targets)):
        alone = weighted_gradient(predictions[row : row + 1], targets[row : row + 1], weights)
        np.testing.assert_array_equal(gradient[row : row + 1], alone)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_a_property_without_labels_changes_no_constant_weight(exponent):
    labels = torch.zeros(100, 2)
    labels[10:, 1] = torch.nan
    without = LabelWeights.from_labels(labels, 10, exponent)
    extended = LabelWeights.from_labels(torch.cat([labels, torch.full((100, 1), torch.nan)], 1), 10, exponent)
    torch.testing.assert_close(extended.weight, torch.cat([without.weight, torch.zeros(1)]))
    torch.testing.assert_close(extended.expected, torch.cat([without.expected, torch.zeros(1)]))


@pytest.mark.parametrize(("exponent", "ratio"), [(0.0, 10.0), (0.5, 10**0.5), (1.0, 1.0)])
def test_the_exponent_goes_from_equal_properties_to_equal_labels(exponent, ratio):
    gradient = weighted_gradient(np.ones((1, 3), np.float32), np.zeros((1, 3), np.float32), constant_weights(exponent))
    assert gradient[0, 1] / gradient[0, 0] == pytest.approx(ratio)


def test_the_constant_weights_give_the_mean_of_the_properties_over_an_epoch():
    labels = torch.randn(100, 3)
    labels[10:, 1] = torch.nan
    weights = LabelWeights.from_labels(labels, batches=4, exponent=0.0)
    order = torch.randperm(100)
    losses = [property_losses(torch.zeros(25, 3), labels[part], "l1", weights).mean() for part in order.split(25)]
    assert torch.stack(losses).mean().item() == pytest.approx(labels.abs().nanmean(dim=0).mean().item(), rel=1e-5)
