"""Laws of Muon."""

import copy

import pytest
import torch
from torch import nn
from torch.optim import AdamW

from phase2.training.optimisation.muon import Muon, orthogonalize


def parameters(*shapes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def take_steps(optimizer, every, n, seed=1):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(n):
        for parameter in every:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 5, 40), (2, 40, 5)])
def test_singular_values_become_about_one_and_their_vectors_stay(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, s, vh = torch.linalg.svd(matrices, full_matrices=False)
    inside = u.mT @ orthogonalize(matrices) @ vh.mT
    values = inside.diagonal(dim1=-2, dim2=-1)
    assert ((values > 0.6) & (values < 1.3))[s > 0.05 * s.max()].all()
    torch.testing.assert_close(inside - torch.diag_embed(values), torch.zeros_like(inside), atol=1e-4, rtol=0)


def test_a_matrix_of_zeros_stays_zero():
    assert not orthogonalize(torch.zeros(1, 4, 6)).any()


def test_the_size_of_a_matrix_does_not_change_its_direction():
    matrices = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(orthogonalize(matrices * 1e-3), orthogonalize(matrices), atol=1e-4, rtol=0)


def test_equals_the_optimiser_of_torch_up_to_its_bfloat16():
    ours, theirs = parameters((8, 6), (4, 12)), parameters((8, 6), (4, 12))
    take_steps(Muon([{"params": ours, "weight_decay": 0.1, "orthogonalized": True}], lr=0.01), ours, 3)
    take_steps(torch.optim.Muon(theirs, lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"), theirs, 3)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.detach(), other.detach(), atol=2e-3, rtol=0)  # a step moves weights by 1e-2


def test_a_stack_is_trained_like_its_matrices():
    (stack,) = parameters((3, 8, 6))
    single = [nn.Parameter(matrix.detach().clone()) for matrix in stack]
    gradients = torch.randn(3, 8, 6, generator=torch.Generator().manual_seed(2))
    stack.grad = gradients.clone()
    for parameter, gradient in zip(single, gradients, strict=True):
        parameter.grad = gradient.clone()
    for every in ([stack], single):
        Muon([{"params": every, "weight_decay": 0.0, "orthogonalized": True}], lr=0.01).step()
    torch.testing.assert_close(stack.detach(), torch.stack([p.detach() for p in single]))


def test_the_other_groups_are_trained_by_adamw():
    ours, theirs = parameters((5,), (2, 3)), parameters((5,), (2, 3))
    take_steps(Muon([{"params": ours, "weight_decay": 0.3}], lr=0.01), ours, 4)
    take_steps(AdamW(theirs, lr=0.01, weight_decay=0.3, fused=True), theirs, 4)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


def test_state_dict_is_the_complete_state():
    first = parameters((4, 6), (3, 4, 6), (5,))

    def optimizer(every):
        groups = [{"params": every[:2], "weight_decay": 0.1, "orthogonalized": True}]
        return Muon([*groups, {"params": every[2:], "weight_decay": 0.0}], lr=0.01)

    one = optimizer(first)
    take_steps(one, first, 3)
    second = [nn.Parameter(p.detach().clone()) for p in first]
    other = optimizer(second)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for each, every in ((one, first), (other, second)):
        take_steps(each, every, 2, seed=9)
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)
