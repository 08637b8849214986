"""Laws of the masked loss: a missing label has no influence."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phase2.training.balancing import make_balancer
from phase2.training.objective import property_losses

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
