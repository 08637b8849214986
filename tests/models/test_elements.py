"""Element embeddings before and after training."""

import pytest
import torch

from phase2.data.crystals.elements import ATOMIC_NUMBERS
from phase2.models.elements import ElementFeatures, element_table


def apart(rows, one, other):
    return (rows[ATOMIC_NUMBERS[one]] - rows[ATOMIC_NUMBERS[other]]).norm()


def test_chemically_alike_elements_are_near_each_other():
    table = torch.tensor(element_table())
    for one, alike, unlike in (("Li", "Na", "Fe"), ("Cl", "Br", "Ca"), ("La", "Ce", "O"), ("Si", "Ge", "K")):
        assert apart(table, one, alike) < apart(table, one, unlike)


def test_every_element_has_finite_features_of_its_own():
    torch.manual_seed(0)
    features = ElementFeatures(32)(torch.arange(1, 119))
    assert torch.isfinite(features).all()
    assert (torch.cdist(features, features) + 9 * torch.eye(118)).min() > 1e-3


def test_only_elements_of_the_training_set_are_corrected():
    torch.manual_seed(0)
    elements = ElementFeatures(4)
    elements(torch.tensor([8, 26])).square().sum().backward()
    assert elements.correction.grad.abs().sum(dim=1).nonzero().flatten().tolist() == [8, 26]


def test_models_of_one_process_do_not_share_their_tables():
    """A model file may bring a table of another phase2, which must stay with its model."""
    one, other = ElementFeatures(4), ElementFeatures(4)
    one.table.fill_(7)
    assert not (other.table == 7).any()
    assert torch.equal(ElementFeatures(4).table, other.table)
    with pytest.raises(ValueError, match="read-only"):
        element_table()[1, 0] = 7
