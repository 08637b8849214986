"""Laws of the balancers."""

import pytest
import torch

from phase2.training.balancing import Famo, Uncertainty, make_balancer
from phase2.training.objective import PropertyLosses


def losses(*values):
    tensor = torch.tensor([0.0 if v is None else v for v in values], requires_grad=True)
    return losses_of(tensor, torch.tensor([v is not None for v in values]))


def losses_of(values, present):
    return PropertyLosses(values, present, weight=present / present.sum(), share=present.float())


def test_uncertainty_begins_with_the_plain_mean():
    given = losses(1.0, None, 3.0)
    assert Uncertainty(3)(given).item() == make_balancer("equal", 3)(given).item() == 2.0


def test_uncertainty_learns_the_size_of_each_loss():
    balancer = Uncertainty(3)
    optimizer = torch.optim.Adam(balancer.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        balancer(losses(0.02, None, 2.0)).backward()
        optimizer.step()
    # The minimum of exp(-s) L + s / 2 is at s = log 2 L.
    expected = torch.tensor([0.04, 1.0, 4.0]).log()
    torch.testing.assert_close(balancer.log_variance.detach(), expected, atol=0.02, rtol=0)


def test_famo_gradient_weights_sum_to_one_and_favour_small_losses():
    given = losses(0.1, None, 0.4)
    Famo(3)(given).backward()
    gradient = given.values.grad
    assert gradient.sum().item() == pytest.approx(1, rel=1e-5)
    assert gradient[1] == 0
    # Weights of the gradients are z / L: with equal logits the ratio is that of the losses.
    assert (gradient[0] / gradient[2]).item() == pytest.approx(4, rel=1e-4)


def test_famo_turns_to_the_property_that_improves_least():
    balancer = Famo(3)
    for _ in range(20):
        balancer.observe(losses(1.0, None, 1.0).detach(), losses(0.5, None, 0.99).detach())
    assert balancer.logits[2] > 0 > balancer.logits[0]
    assert balancer.logits[1] == 0


def test_famo_follows_the_published_update():
    """Against Adam on the logits with the gradient taken by autograd, as in the authors' code."""
    logits = torch.zeros(3, requires_grad=True)
    adam = torch.optim.Adam([logits], lr=Famo.LEARNING_RATE, weight_decay=Famo.WEIGHT_DECAY)
    balancer = Famo(3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(25):
        before, after = torch.rand(2, 3, generator=generator) + 0.1
        shrunk = (before + 1e-8).log() - (after + 1e-8).log()
        adam.zero_grad()
        torch.softmax(logits, 0).backward(shrunk)
        adam.step()
        there = torch.ones(3, dtype=torch.bool)
        balancer.observe(losses_of(before, there), losses_of(after, there))
    torch.testing.assert_close(balancer.logits, logits.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["equal", "uncertainty", "famo"])
def test_state_dict_is_the_complete_state(kind):
    first, second = make_balancer(kind, 2), make_balancer(kind, 2)
    for balancer in (first, second):
        balancer.observe(losses(1.0, 2.0).detach(), losses(0.5, 1.9).detach())
    third = make_balancer(kind, 2)
    third.load_state_dict(first.state_dict())
    for balancer in (second, third):
        balancer.observe(losses(1.0, 2.0).detach(), losses(0.9, 1.0).detach())
    assert third(losses(1.0, 3.0)).item() == second(losses(1.0, 3.0)).item()
